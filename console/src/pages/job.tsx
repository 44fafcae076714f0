/** The page of one job: its spec, its state, and its live log. */

import { Link, useParams } from '@tanstack/react-router'

import { isOpen, liveJob, useActOnJob } from '../api/jobs'
import { useLive } from '../api/live'
import type { Job } from '../api/nouns'
import { formatArgv } from '../logic/argv'
import { jobTitle, printedOf, runSpec, updateSpec } from '../logic/jobs'
import { bytes } from '../logic/sizes'
import { exactSpan } from '../logic/times'
import { Actor } from '../ui/actor'
import { Badge } from '../ui/badge'
import { ActionButton } from '../ui/button'
import { Loaded } from '../ui/loaded'
import { Notice, ProblemNotice } from '../ui/notice'
import { Card, Facts, Page } from '../ui/page'
import { Time } from '../ui/time'
import { HostLink } from './host/host_link'
import { LogCard } from './job/log_card'

export function JobPage() {
  const { id } = useParams({ from: '/shell/jobs/$id' })
  const job = useLive(liveJob(id))
  return (
    <Page
      title={job.data ? jobTitle(job.data) : 'Job'}
      crumb={<Link to="/jobs">Jobs</Link>}
      beside={job.data && <Badge state={job.data.state} />}
      actions={job.data && <Actions job={job.data} />}
    >
      <Loaded query={job} rows={12}>
        {(data) => (
          <>
            <Ending job={data} />
            <JobCards job={data} />
            <LogCard job={data} />
          </>
        )}
      </Loaded>
    </Page>
  )
}

function Actions({ job }: { job: Job }) {
  const [cancel, giveUp] = [useActOnJob('cancel'), useActOnJob('give_up')]
  return (
    <>
      <ProblemNotice error={cancel.error ?? giveUp.error} />
      {job.allowed.includes('give_up') && (
        <ActionButton
          of={job}
          action="give_up"
          busy={giveUp.isPending}
          onPress={() => {
            giveUp.mutate(job.id)
          }}
        >
          Give up
        </ActionButton>
      )}
      <ActionButton
        of={job}
        action="cancel"
        look="danger"
        busy={cancel.isPending}
        onPress={() => {
          cancel.mutate(job.id)
        }}
      >
        {job.cancel_requested && isOpen(job) ? 'Stopping…' : 'Cancel'}
      </ActionButton>
    </>
  )
}

/** Why the job did not succeed, or what it waits for. */
function Ending({ job }: { job: Job }) {
  const { result, waiting_on } = job
  if (waiting_on && isOpen(job)) return <Notice tone="busy" title={`Waiting for ${waiting_on}`} />
  if (!result?.error) return null
  return (
    <Notice tone={job.state === 'cancelled' ? 'warn' : 'bad'} title={result.error.message}>
      <p className="faint">
        <code>{result.error.code}</code>
      </p>
    </Notice>
  )
}

function JobCards({ job }: { job: Job }) {
  const { result } = job
  const end = job.ended_at ?? result?.finished_at
  const took = job.started_at && end ? exactSpan((Date.parse(end) - Date.parse(job.started_at)) / 1_000) : null
  return (
    <div className="cards">
      <Card title="Job">
        <Facts
          rows={[
            ['Host', <HostLink key="host" id={job.host_id} />],
            ['Kind', job.kind.replaceAll('_', ' ')],
            ['Exit code', result?.exit_code],
            ['Output', printedOf(job)],
            ['Output lost', job.output_lost_bytes && bytes(job.output_lost_bytes)],
            ['Created by', <Actor key="by" actor={job.created_by} name={job.created_by_name} />],
            ['Fleet update', job.fleet_update_id && <FleetUpdateLink id={job.fleet_update_id} />],
            ['Id', <code key="id">{job.id}</code>],
            ...specRows(job),
          ]}
        />
      </Card>
      <Card title="Times">
        <Facts
          rows={[
            ['Created', <Time key="created" at={job.created_at} />],
            ['Offered', <Time key="offered" at={job.offered_at} />],
            ['Accepted', <Time key="accepted" at={job.accepted_at} />],
            ['Started', <Time key="started" at={job.started_at} />],
            ['Ended', <Time key="ended" at={job.ended_at} />],
            ['Duration', took],
            ['Time limit', exactSpan(job.time_limit_seconds)],
            ['Start by', isOpen(job) && !job.started_at && <Time at={job.start_by} />],
          ]}
        />
      </Card>
    </div>
  )
}

function specRows(job: Job): [string, string | null][] {
  const [run, update] = [runSpec(job), updateSpec(job)]
  if (update) return [['Manifest', update.manifest_sha256]]
  if (!run) return []
  const environment = Object.entries(run.environment ?? {}).map((pair) => pair.join('='))
  const secrets = Object.keys(run.secret_environment ?? {})
  return [
    ['Command', formatArgv(run.argv)],
    ['Directory', run.working_directory ?? null],
    ['Environment', environment.join(' ')],
    ['Secrets', secrets.join(' ')],
  ]
}

function FleetUpdateLink({ id }: { id: string }) {
  return (
    <Link to="/fleet-updates/$id" params={{ id }} className="link">
      <code>{id}</code>
    </Link>
  )
}
