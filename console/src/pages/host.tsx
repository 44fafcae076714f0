/** The page of one host: its state, its facts, its jobs, its audit log, and its actions. */

import { Link, useParams } from '@tanstack/react-router'
import { useQuery } from '@tanstack/react-query'

import { auditList } from '../api/audit'
import { liveHost } from '../api/hosts'
import { jobList } from '../api/jobs'
import { useList } from '../api/lists'
import { liveQuery, useLive } from '../api/live'
import type { Host } from '../api/nouns'
import { liveOverview } from '../api/overview'
import { Badge, Labels, Online } from '../ui/badge'
import { Empty } from '../ui/command'
import { Loaded } from '../ui/loaded'
import { Notice } from '../ui/notice'
import { Card, Facts, Page } from '../ui/page'
import { ListTable } from '../ui/table'
import { Time } from '../ui/time'
import { AUDIT_COLUMNS } from './audit/audit_columns'
import { AgentCard, FactsCard } from './host/facts_cards'
import { HostButtons } from './host/host_buttons'
import { UpstreamsCard } from './host/upstreams_card'
import { VersionChip } from './host/version_chip'
import { WhyNotCard } from './host/why_not_card'
import { HOST_JOB_COLUMNS } from './jobs/job_columns'

/** How many jobs and audit entries to show here; their own pages show all of them. */
const SOME = 8

export function HostPage() {
  const { id } = useParams({ from: '/shell/hosts/$id' })
  const host = useLive(liveHost(id))
  const newest = useQuery({ ...liveQuery(liveOverview), select: ({ body }) => body.newest_release }).data ?? null
  return (
    <Page
      title={host.data?.name ?? 'Host'}
      crumb={<Link to="/hosts">Hosts</Link>}
      beside={host.data && <HostBadges host={host.data} newest={newest} />}
      actions={host.data && <HostButtons host={host.data} newest={newest} />}
    >
      <Loaded query={host} rows={12}>
        {(data) => <HostCards host={data} />}
      </Loaded>
    </Page>
  )
}

function HostBadges({ host, newest }: { host: Host; newest: string | null }) {
  return (
    <>
      {host.state === 'active' ? <Online online={host.online} /> : <Badge state={host.state} />}
      <VersionChip host={host} newest={newest} />
    </>
  )
}

function HostCards({ host }: { host: Host }) {
  return (
    <>
      {host.state_reason && (
        <Notice tone="bad" title={`This host is ${host.state}`}>
          <p>{host.state_reason}</p>
        </Notice>
      )}
      <div className="cards">
        <Card title="Host">
          <Facts
            rows={[
              ['Labels', <Labels key="labels" labels={host.labels} />],
              ['Last seen', host.connected ? 'connected' : <Time key="seen" at={host.last_seen_at} none="never" />],
              ['Session', host.session],
              ['Open jobs', host.open_jobs],
              ['Enrolled', <Time key="enrolled" at={host.enrolled_at} />],
              ['Id', <code key="id">{host.id}</code>],
            ]}
          />
        </Card>
        <AgentCard host={host} />
        <FactsCard host={host} />
      </div>
      <UpstreamsCard host={host} />
      <HostJobs id={host.id} />
      <div className="cards">
        <WhyNotCard host={host} />
        <HostAudit id={host.id} />
      </div>
    </>
  )
}

function HostJobs({ id }: { id: string }) {
  const jobs = useList(jobList({ host: id }, SOME))
  const all = (
    <Link to="/jobs" search={{ host: id }} className="link">
      All jobs of this host
    </Link>
  )
  return (
    <Card title="Jobs" actions={all} plain>
      <ListTable
        label="Jobs of this host"
        columns={HOST_JOB_COLUMNS}
        list={{ ...jobs, hasNextPage: false }}
        id={(job) => job.id}
        empty={
          <Empty title="This host has no jobs" command={`muster jobs run --host ${id} --wait -- /usr/bin/uptime`} />
        }
      />
    </Card>
  )
}

function HostAudit({ id }: { id: string }) {
  const entries = useList(auditList({ subject: id }, SOME))
  const all = (
    <Link to="/audit" search={{ subject: id }} className="link">
      All entries
    </Link>
  )
  return (
    <Card title="Audit" actions={all} plain>
      <ListTable
        label="Audit log of this host"
        columns={AUDIT_COLUMNS.filter(({ name }) => name !== 'Subject')}
        list={{ ...entries, hasNextPage: false }}
        id={(entry) => entry.id}
        empty={<Empty title="There are no entries for this host" command={`muster audit --subject ${id}`} />}
      />
    </Card>
  )
}
