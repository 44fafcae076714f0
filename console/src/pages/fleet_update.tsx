/** The page of one fleet update: its waves and slots live, what each host waits for, and the buttons to pause or cancel. */

import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'

import { fleetUpdateHostsQuery, isOver, liveFleetUpdate } from '../api/fleet_updates'
import { useLive } from '../api/live'
import type { FleetUpdate } from '../api/nouns'
import { counted } from '../logic/sizes'
import { exactSpan } from '../logic/times'
import { Actor } from '../ui/actor'
import { Badge } from '../ui/badge'
import { Loaded } from '../ui/loaded'
import { Notice } from '../ui/notice'
import { Card, Facts, Page } from '../ui/page'
import { Time } from '../ui/time'
import { Digest } from './host/facts_cards'
import { FleetUpdateButtons } from './fleet_updates/fleet_update_buttons'
import { Halted } from './fleet_updates/halted'
import { HostsCard } from './fleet_updates/hosts_card'
import { Progress } from './fleet_updates/progress'
import { SlotsCard } from './fleet_updates/slots_card'
import { WavesCard } from './fleet_updates/waves_card'

export function FleetUpdatePage() {
  const { id } = useParams({ from: '/shell/fleet-updates/$id' })
  const fleetUpdate = useLive(liveFleetUpdate(id))
  const { data } = fleetUpdate
  return (
    <Page
      title={data ? `${data.version} to ${counted(data.counts.total, 'host')}` : 'Fleet update'}
      crumb={<Link to="/fleet-updates">Fleet updates</Link>}
      beside={data && <Badge state={data.state} />}
      actions={data && <FleetUpdateButtons fleetUpdate={data} />}
    >
      <Loaded query={fleetUpdate} rows={14}>
        {(known) => <FleetUpdateCards fleetUpdate={known} />}
      </Loaded>
    </Page>
  )
}

function FleetUpdateCards({ fleetUpdate }: { fleetUpdate: FleetUpdate }) {
  const hosts = useQuery(fleetUpdateHostsQuery(fleetUpdate.id, fleetUpdate.revision, isOver(fleetUpdate)))
  const { state, waiting_on } = fleetUpdate
  return (
    <>
      {state === 'halted' && <Halted fleetUpdate={fleetUpdate} hosts={hosts.data ?? []} />}
      {state !== 'halted' && waiting_on && (
        <Notice tone={state === 'paused' ? 'warn' : 'busy'} title={`Waiting for ${waiting_on}`} />
      )}
      <Card title="Progress">
        <Progress counts={fleetUpdate.counts} />
      </Card>
      <WavesCard fleetUpdate={fleetUpdate} hosts={hosts.data ?? []} />
      {!isOver(fleetUpdate) && <SlotsCard fleetUpdate={fleetUpdate} hosts={hosts.data ?? []} />}
      <Loaded query={hosts} rows={6}>
        {(data) => <HostsCard hosts={data} fleetUpdate={fleetUpdate} />}
      </Loaded>
      <AboutCard fleetUpdate={fleetUpdate} />
    </>
  )
}

function AboutCard({ fleetUpdate }: { fleetUpdate: FleetUpdate }) {
  return (
    <Card title="About">
      <Facts
        rows={[
          ['Note', fleetUpdate.note],
          ['Release', <Link key="release" to="/releases/$version" params={{ version: fleetUpdate.version }} className="link">{fleetUpdate.version}</Link>], // prettier-ignore
          ['Manifest', <Digest key="manifest" sha256={fleetUpdate.manifest_sha256} />],
          ['Max in flight', fleetUpdate.max_in_flight],
          ['Halts at', counted(fleetUpdate.max_failures, 'failure')],
          ['Soak', exactSpan(fleetUpdate.soak_seconds)],
          ['Started', <Time key="started" at={fleetUpdate.created_at} />],
          ['Started by', <Actor key="by" actor={fleetUpdate.created_by} name={fleetUpdate.created_by_name} />],
          ['Ended', fleetUpdate.ended_at && <Time at={fleetUpdate.ended_at} />],
          ['Id', <code key="id">{fleetUpdate.id}</code>],
        ]}
      />
    </Card>
  )
}
