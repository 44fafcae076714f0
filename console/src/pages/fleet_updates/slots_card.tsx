/** The slots of a fleet update: the hosts that are updating now. */

import type { FleetUpdate, FleetUpdateHost } from '../../api/nouns'
import { Badge } from '../../ui/badge'
import { Card } from '../../ui/page'
import { Time } from '../../ui/time'
import { HostLink } from '../host/host_link'

/** How many slots to draw at most. */
const MOST = 24

export function SlotsCard({ fleetUpdate, hosts }: { fleetUpdate: FleetUpdate; hosts: FleetUpdateHost[] }) {
  const { in_flight, max_in_flight } = fleetUpdate
  const taken = in_flight.slice(0, MOST)
  const free = Math.max(0, Math.min(MOST, max_in_flight) - taken.length)
  return (
    <Card title={`Slots: ${in_flight.length} of ${max_in_flight} taken`}>
      <ul className="slots" aria-label="Slots">
        {taken.map((id) => (
          <Slot key={id} id={id} host={hosts.find(({ host_id }) => host_id === id)} />
        ))}
        {Array.from({ length: free }, (_, at) => (
          <li className="slot free" key={at}>
            free
          </li>
        ))}
      </ul>
    </Card>
  )
}

function Slot({ id, host }: { id: string; host: FleetUpdateHost | undefined }) {
  return (
    <li className={host?.state === 'lost' ? 'slot lost' : 'slot'}>
      <span className="row">
        <HostLink id={id} />
        {host && <Badge state={host.state} />}
      </span>
      <span className="cut soft">
        {host?.offered_at && <Time at={host.offered_at} />} {host?.waiting_on && `waiting for ${host.waiting_on}`}
      </span>
    </li>
  )
}
