/** A dialog that runs a job on one host or on many. */

import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { useCreateJobs } from '../../api/jobs'
import type { Host, JobRequest } from '../../api/nouns'
import { parseArgv } from '../../logic/argv'
import { bound } from '../../logic/bound'
import { newKey } from '../../logic/keys'
import { parseLabels } from '../../logic/labels'
import { counted } from '../../logic/sizes'
import { parseSpan } from '../../logic/times'
import { FormDialog } from '../../ui/dialog'
import { SelectField, TextField } from '../../ui/field'
import { Notice } from '../../ui/notice'

const KINDS = [
  ['run', 'Run a program'],
  ['inspect', 'Report all facts'],
  ['reset_breakers', 'Reset circuit breakers'],
] as const

const OFFLINE = [
  ['fail', 'Fail'],
  ['queue', 'Queue until they are online'],
] as const

interface RunForm {
  kind: (typeof KINDS)[number][0]
  line: string
  directory: string
  environment: string
  limit: string
  offline: (typeof OFFLINE)[number][0]
}

const EMPTY_FORM: RunForm = { kind: 'run', line: '', directory: '', environment: '', limit: '10m', offline: 'fail' }

type RunRequest = Pick<JobRequest, 'kind' | 'spec' | 'if_offline' | 'time_limit_seconds'>

/** The request for what was typed, or what is wrong with it. */
function requestOf({
  kind,
  line,
  directory,
  environment,
  limit,
  offline,
}: RunForm): { request: RunRequest } | { error: string } {
  const seconds = parseSpan(limit)
  if (seconds === null) return { error: 'The time limit must be a duration such as 90s, 10m or 2h.' }
  const rest = { kind, if_offline: offline, time_limit_seconds: seconds }
  if (kind !== 'run') return { request: { ...rest, spec: {} } }
  const parsed = parseArgv(line)
  if ('error' in parsed) return parsed
  if (!/^(\/|[A-Za-z]:\\)/.test(parsed.argv[0] ?? ''))
    return { error: 'Enter the absolute path of the program, such as /usr/bin/uptime.' }
  const variables = parseLabels(environment)
  if ('error' in variables) return variables
  return {
    request: {
      ...rest,
      spec: { argv: parsed.argv, environment: variables.labels, working_directory: directory || undefined },
    },
  }
}

export function RunDialog({ hosts, onClose }: { hosts: Host[]; onClose: () => void }) {
  const create = useCreateJobs()
  const navigate = useNavigate()
  const [typed, setTyped] = useState(EMPTY_FORM)
  const [once] = useState(newKey)
  const set = (change: Partial<RunForm>) => {
    setTyped((known) => ({ ...known, ...change }))
  }
  const made = requestOf(typed)
  const submit = () => {
    if (!('request' in made)) return
    create.mutate(
      { ...made.request, host_ids: hosts.map(({ id }) => id), once },
      {
        onSuccess: ({ items, refused }) => {
          const [job] = items
          if (job && items.length === 1 && refused.length === 0)
            void navigate({ to: '/jobs/$id', params: { id: job.id } })
        },
      },
    )
  }
  return (
    <FormDialog
      title={hosts.length === 1 ? `Run on ${hosts[0]?.name ?? ''}` : `Run on ${counted(hosts.length, 'host')}`}
      submit={create.data ? 'Done' : 'Run'}
      reason={create.data ? 'Submitted.' : 'error' in made ? made.error : null}
      busy={create.isPending}
      error={create.error}
      onClose={onClose}
      onSubmit={submit}
    >
      <RunFields typed={typed} set={set} />
      {create.data && <Created data={create.data} />}
    </FormDialog>
  )
}

function RunFields({ typed, set }: { typed: RunForm; set: (change: Partial<RunForm>) => void }) {
  const field = bound(typed, set)
  const parsed = parseArgv(typed.line)
  return (
    <>
      <SelectField label="Job" options={KINDS} {...field('kind')} />
      {typed.kind === 'run' && (
        <>
          <TextField
            label="Program and arguments"
            className="mono"
            placeholder="/usr/bin/uptime --pretty"
            help={
              'argv' in parsed
                ? `No shell is used. The program gets: ${JSON.stringify(parsed.argv)}`
                : 'No shell is used, so nothing is expanded.'
            }
            {...field('line')}
            spellCheck={false}
          />
          <div className="fields">
            <TextField label="Environment" className="mono" placeholder="LANG=C" {...field('environment')} />
            <TextField label="Working directory" className="mono" placeholder="/" {...field('directory')} />
          </div>
        </>
      )}
      <div className="fields">
        <TextField label="Time limit" {...field('limit')} />
        <SelectField label="Offline hosts" options={OFFLINE} {...field('offline')} />
      </div>
    </>
  )
}

type CreatedJobs = NonNullable<ReturnType<typeof useCreateJobs>['data']>

function Created({ data: { items, refused } }: { data: CreatedJobs }) {
  return (
    <div role="status">
      <Notice
        tone={refused.length > 0 ? 'warn' : 'good'}
        title={`${counted(items.length, 'job')} created, ${refused.length} refused`}
      >
        {refused.slice(0, 5).map(({ host_id, problem }) => (
          <p key={host_id}>
            <code>{host_id}</code> {problem.title}
            {problem.detail && `: ${problem.detail}`}
          </p>
        ))}
        <Link to="/jobs" className="link">
          Show jobs
        </Link>
      </Notice>
    </div>
  )
}
