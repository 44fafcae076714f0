/** The health of the agent's connections to upstreams: circuit breakers, failures, outages, and a button to reset. */

import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { useCreateJobs } from '../../api/jobs'
import type { Host, Upstream } from '../../api/nouns'
import { bytes, counted } from '../../logic/sizes'
import { exactSpan } from '../../logic/times'
import { newKey } from '../../logic/keys'
import { Badge } from '../../ui/badge'
import { ActionButton } from '../../ui/button'
import { Empty } from '../../ui/command'
import { Notice, ProblemNotice } from '../../ui/notice'
import { Card } from '../../ui/page'
import { Table, type Column } from '../../ui/table'
import { Time } from '../../ui/time'

const COLUMNS: Column<Upstream>[] = [
  { name: 'Upstream', cell: (upstream) => upstream.name.replaceAll('_', ' ') },
  { name: 'Circuit breaker', cell: (upstream) => <Badge state={upstream.breaker} /> },
  { name: 'Failures', cell: ({ failures = 0, opened = 0 }) => <Failures failures={failures} opened={opened} /> },
  {
    name: 'Last failure',
    wide: true,
    spare: true,
    cell: ({ last_failure }) => last_failure && <LastFailure failure={last_failure} />,
  },
  { name: 'Last outage', spare: true, cell: ({ last_outage }) => last_outage && <LastOutage outage={last_outage} /> },
  {
    name: 'Not uploaded',
    spare: true,
    cell: ({ spooled_bytes }) => (spooled_bytes ? bytes(spooled_bytes) : <span className="faint">none</span>),
  },
]

export function UpstreamsCard({ host }: { host: Host }) {
  return (
    <Card title="Connection" actions={<ResetBreakers host={host} />} plain>
      {host.upstreams && host.upstreams.length > 0 ? (
        <Table label="Upstreams" columns={COLUMNS} rows={host.upstreams} id={({ name }) => name} />
      ) : (
        <Empty title="The agent has not reported yet" command={`muster jobs inspect --host ${host.id}`} />
      )}
    </Card>
  )
}

function Failures({ failures, opened }: { failures: number; opened: number }) {
  return (
    <span className="cut">
      {failures}
      {opened > 0 && <span className="faint"> opened {counted(opened, 'time')}</span>}
    </span>
  )
}

function LastFailure({ failure }: { failure: NonNullable<Upstream['last_failure']> }) {
  return (
    <div className="cut">
      <Time at={failure.at} /> <span className="soft">{failure.reason ?? failure.kind.replaceAll('_', ' ')}</span>
    </div>
  )
}

function LastOutage({ outage }: { outage: NonNullable<Upstream['last_outage']> }) {
  return (
    <span className="cut">
      <Time at={outage.began_at} /> <span className="soft">for {exactSpan(outage.seconds)}</span>
    </span>
  )
}

function ResetBreakers({ host }: { host: Host }) {
  const create = useCreateJobs()
  const navigate = useNavigate()
  const [once] = useState(newKey)
  const reset = () => {
    create.mutate(
      { kind: 'reset_breakers', spec: {}, host_ids: [host.id], if_offline: 'queue', once },
      {
        onSuccess: ({ items: [job] }) => {
          if (job) void navigate({ to: '/jobs/$id', params: { id: job.id } })
        },
      },
    )
  }
  const refused = create.data?.refused[0]?.problem
  return (
    <div className="row">
      <ActionButton of={host} action="reset_breakers" look="small" busy={create.isPending} onPress={reset}>
        Reset breakers
      </ActionButton>
      <ProblemNotice error={create.error} />
      {refused && <Notice tone="bad" title={refused.title}>{refused.detail}</Notice> /* prettier-ignore */}
    </div>
  )
}
