/** Runs something on one host or many, a job each. */

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
  ['reset_breakers', 'Reset breakers'],
] as const

const OFFLINE = [
  ['fail', 'Refuse'],
  ['queue', 'Keep it until they come back'],
] as const

interface Typed {
  kind: (typeof KINDS)[number][0]
  line: string
  directory: string
  environment: string
  limit: string
  offline: (typeof OFFLINE)[number][0]
}

const NOTHING: Typed = { kind: 'run', line: '', directory: '', environment: '', limit: '10m', offline: 'fail' }

type Asked = Pick<JobRequest, 'kind' | 'spec' | 'if_offline' | 'time_limit_seconds'>

/** The request for what was typed, or what is missing. */
function requestOf({
  kind,
  line,
  directory,
  environment,
  limit,
  offline,
}: Typed): { request: Asked } | { error: string } {
  const seconds = parseSpan(limit)
  if (seconds === null) return { error: 'The time limit is a span such as 90s, 10m or 2h.' }
  const rest = { kind, if_offline: offline, time_limit_seconds: seconds }
  if (kind !== 'run') return { request: { ...rest, spec: {} } }
  const parsed = parseArgv(line)
  if ('error' in parsed) return parsed
  if (!/^(\/|[A-Za-z]:\\)/.test(parsed.argv[0] ?? ''))
    return { error: 'Give the program’s absolute path, such as /usr/bin/uptime.' }
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
  const [typed, setTyped] = useState(NOTHING)
  const [once] = useState(newKey)
  const set = (change: Partial<Typed>) => {
    setTyped((known) => ({ ...known, ...change }))
  }
  const asked = requestOf(typed)
  const submit = () => {
    if (!('request' in asked)) return
    create.mutate(
      { ...asked.request, host_ids: hosts.map(({ id }) => id), once },
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
      reason={create.data ? 'It was asked for.' : 'error' in asked ? asked.error : null}
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

function RunFields({ typed, set }: { typed: Typed; set: (change: Partial<Typed>) => void }) {
  const field = bound(typed, set)
  const parsed = parseArgv(typed.line)
  return (
    <>
      <SelectField label="What" options={KINDS} {...field('kind')} />
      {typed.kind === 'run' && (
        <>
          <TextField
            label="Program and arguments"
            className="mono"
            placeholder="/usr/bin/uptime --pretty"
            help={
              'argv' in parsed
                ? `There is no shell. The program gets: ${JSON.stringify(parsed.argv)}`
                : 'There is no shell: nothing is expanded.'
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
        <SelectField label="For offline hosts" options={OFFLINE} {...field('offline')} />
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
        title={`${counted(items.length, 'job')} made, ${refused.length} refused`}
      >
        {refused.slice(0, 5).map(({ host_id, problem }) => (
          <p key={host_id}>
            <code>{host_id}</code> {problem.title}
            {problem.detail && `: ${problem.detail}`}
          </p>
        ))}
        <Link to="/jobs" className="link">
          To the jobs
        </Link>
      </Notice>
    </div>
  )
}
