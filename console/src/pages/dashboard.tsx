/** The dashboard: the state of the fleet at a glance. Each number links to the list of what it counts. */

import { Link, type LinkProps } from '@tanstack/react-router'

import { useLive } from '../api/live'
import type { Overview } from '../api/nouns'
import { liveOverview } from '../api/overview'
import { count, counted } from '../logic/sizes'
import { Chart } from '../ui/chart'
import { Empty } from '../ui/command'
import { Loaded } from '../ui/loaded'
import { Card, Page } from '../ui/page'
import { Table } from '../ui/table'
import { Time } from '../ui/time'
import { FleetUpdateRow } from './fleet_updates/fleet_update_row'
import { JOB_COLUMNS } from './jobs/job_columns'

import '../styles/chart.css'

export function DashboardPage() {
  const overview = useLive(liveOverview)
  const asOf = overview.data && (
    <span className="faint">
      as of <Time at={overview.data.as_of} />
    </span>
  )
  return (
    <Page title="Dashboard" beside={asOf}>
      <Loaded query={overview} rows={16}>
        {(data) => (data.hosts.total === 0 ? <NoHosts /> : <Fleet overview={data} />)}
      </Loaded>
    </Page>
  )
}

function NoHosts() {
  return (
    <div className="card">
      <Empty title="No host has joined yet" command="muster token create">
        <p>
          A host joins with an enrollment token.{' '}
          <Link to="/enrollment" className="link">
            Create one here
          </Link>
          , or run:
        </p>
      </Empty>
    </div>
  )
}

function Fleet({ overview }: { overview: Overview }) {
  const { hosts, history, recent_failures, fleet_updates, newest_release } = overview
  return (
    <>
      <div className="tiles">
        <Tile
          name="Online"
          tone="good"
          amount={hosts.online}
          about={`of ${counted(hosts.total, 'host')}`}
          to="/hosts"
          search={{ online: 'true' }}
        />
        <Tile
          name="Offline"
          tone={hosts.offline > 0 ? 'bad' : ''}
          amount={hosts.offline}
          about="no recent check-in"
          to="/hosts"
          search={{ online: 'false' }}
        />
        <Tile
          name="Hosts behind"
          tone={hosts.behind > 0 ? 'warn' : ''}
          amount={hosts.behind}
          about={newest_release ? `${newest_release} is the newest` : 'no release yet'}
          to="/hosts"
          search={{ updates: 'behind' }}
        />
        <Tile
          name="Quarantined"
          tone={hosts.quarantined > 0 ? 'bad' : ''}
          amount={hosts.quarantined}
          about="blocked until readmitted"
          to="/hosts"
          search={{ state: 'quarantined' }}
        />
        <Tile
          name="Fleet updates"
          tone={fleet_updates.some(({ state }) => state === 'halted') ? 'bad' : ''}
          amount={fleet_updates.length}
          about="not finished yet"
          to="/fleet-updates"
        />
      </div>
      <Card title="Fleet over time">
        <Chart
          label="Hosts over time"
          at={history.map(({ at }) => at)}
          series={[
            { name: 'Online', tone: 'good', values: history.map(({ online }) => online) },
            { name: 'Behind', tone: 'warn', values: history.map(({ behind }) => behind) },
            { name: 'Offline', tone: 'bad', values: history.map(({ offline }) => offline) },
          ]}
        />
      </Card>
      <div className="cards">
        <Card title="Fleet updates" plain>
          {fleet_updates.length === 0 ? (
            <Empty title="There is no active fleet update" command="muster fleet-update plan --help" />
          ) : (
            <ul>
              {fleet_updates.map((fleetUpdate) => (
                <FleetUpdateRow key={fleetUpdate.id} fleetUpdate={fleetUpdate} />
              ))}
            </ul>
          )}
        </Card>
        <Card title="Agents by version">
          <Versions overview={overview} />
        </Card>
      </div>
      <Card title="Recent failures" plain>
        {recent_failures.length === 0 ? (
          <Empty title="No job has failed recently" command="muster jobs list --state failed" />
        ) : (
          <Table label="Recent failures" columns={JOB_COLUMNS} rows={recent_failures} id={({ id }) => id} />
        )}
      </Card>
    </>
  )
}

interface TileProps extends Pick<LinkProps, 'to' | 'search'> {
  name: string
  tone: string
  amount: number
  about: string
}

function Tile({ name, tone, amount, about, ...link }: TileProps) {
  return (
    <Link {...link} className={`tile ${tone}`}>
      <span className="tile-name">{name}</span>
      <span className="tile-count">{count(amount)}</span>
      <span className="tile-about">{about}</span>
    </Link>
  )
}

function Versions({ overview: { versions, hosts, newest_release } }: { overview: Overview }) {
  const rows = Object.entries(versions).sort(([one], [other]) => other.localeCompare(one, 'en', { numeric: true }))
  return (
    <ul className="versions">
      {rows.map(([version, amount]) => (
        <li key={version}>
          <Link to="/hosts" search={{ version }} className="link mono">
            {version}
          </Link>
          <span className={version === newest_release ? 'share' : 'share warn'}>
            <span style={{ width: `${(amount / Math.max(1, hosts.total)) * 100}%` }} />
          </span>
          <span>{count(amount)}</span>
        </li>
      ))}
    </ul>
  )
}
