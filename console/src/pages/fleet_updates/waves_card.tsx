/** The waves of a fleet update, with the progress of each. */

import type { FleetUpdate, FleetUpdateHost } from '../../api/nouns'
import { counted } from '../../logic/sizes'
import { isOver } from '../../api/fleet_updates'
import { Card } from '../../ui/page'
import { Progress } from './progress'

export function WavesCard({ fleetUpdate, hosts }: { fleetUpdate: FleetUpdate; hosts: FleetUpdateHost[] }) {
  const { waves, wave: current } = fleetUpdate
  return (
    <Card title="Waves">
      <ol className="waves">
        {waves.map((size, at) => (
          <li className="wave" key={at} aria-current={at === current && !isOver(fleetUpdate) ? 'step' : undefined}>
            <strong>{at === 0 ? 'Canary' : `Wave ${at + 1}`}</strong>
            <span className="soft">{counted(size, 'host')}</span>
            <Progress counts={countsOf(hosts.filter(({ wave }) => wave === at))} />
          </li>
        ))}
      </ol>
    </Card>
  )
}

function countsOf(hosts: FleetUpdateHost[]): FleetUpdate['counts'] {
  const of = (...states: FleetUpdateHost['state'][]) => hosts.filter(({ state }) => states.includes(state)).length
  return {
    total: hosts.length,
    pending: of('pending'),
    in_flight: of('offered', 'verifying', 'lost'),
    succeeded: of('succeeded'),
    failed: of('failed'),
    skipped: of('skipped'),
    cancelled: of('cancelled'),
  }
}
