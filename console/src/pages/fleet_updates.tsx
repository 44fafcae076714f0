/** The page of fleet updates, with the number of hosts whose agent is behind. */

import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'

import { fleetUpdateList } from '../api/fleet_updates'
import { useList } from '../api/lists'
import { liveQuery } from '../api/live'
import type { FleetUpdate } from '../api/nouns'
import { liveOverview } from '../api/overview'
import { useSession } from '../api/session'
import { counted } from '../logic/sizes'
import { Badge } from '../ui/badge'
import { ActionButton } from '../ui/button'
import { Empty } from '../ui/command'
import { Notice } from '../ui/notice'
import { Page } from '../ui/page'
import { ListTable, type Column } from '../ui/table'
import { Time } from '../ui/time'
import { Progress } from './fleet_updates/progress'

const COLUMNS: Column<FleetUpdate>[] = [
  { name: 'Release', cell: (fleetUpdate) => <ReleaseLink fleetUpdate={fleetUpdate} /> },
  { name: 'State', cell: ({ state }) => <Badge state={state} /> },
  { name: 'Hosts', wide: true, cell: ({ counts }) => <Progress counts={counts} /> },
  { name: 'Note', spare: true, cell: ({ note }) => <span className="soft">{note}</span> },
  { name: 'Started', spare: true, cell: ({ created_at }) => <Time at={created_at} /> },
]

export function FleetUpdatesPage() {
  const fleetUpdates = useList(fleetUpdateList)
  const navigate = useNavigate()
  const start = (
    <ActionButton
      of={useSession()}
      action="create_fleet_updates"
      look="primary"
      onPress={() => {
        void navigate({ to: '/fleet-updates/new' })
      }}
    >
      New fleet update
    </ActionButton>
  )
  return (
    <Page title="Fleet updates" actions={start}>
      <Behind />
      <div className="card">
        <ListTable
          label="Fleet updates"
          columns={COLUMNS}
          list={fleetUpdates}
          id={({ id }) => id}
          empty={<Empty title="There are no fleet updates" command="muster fleet-update plan --version VERSION" />}
        />
      </div>
    </Page>
  )
}

/** How many hosts run an older version than the newest release. */
function Behind() {
  const { data } = useQuery({ ...liveQuery(liveOverview), refetchInterval: 30_000, select: ({ body }) => body })
  if (!data?.newest_release) return null
  const { behind } = data.hosts
  if (behind === 0) return <Notice tone="good" title={`Every host runs ${data.newest_release}, the newest release.`} />
  return (
    <Notice
      tone="warn"
      title={`${counted(behind, 'host')} ${behind === 1 ? 'runs' : 'run'} an older version than ${data.newest_release}, the newest release.`}
    >
      <p className="row">
        <Link to="/hosts" search={{ updates: 'behind' }} className="link">
          Show them
        </Link>
        <Link to="/fleet-updates/new" search={{ version: data.newest_release }} className="link">
          Plan a fleet update to {data.newest_release}
        </Link>
      </p>
    </Notice>
  )
}

function ReleaseLink({ fleetUpdate: { id, version } }: { fleetUpdate: FleetUpdate }) {
  return (
    <Link to="/fleet-updates/$id" params={{ id }} className="link">
      {version}
    </Link>
  )
}
