/** API calls for jobs: the list, one job live, its log, new jobs, and cancelling. */

import { useMutation, useQueryClient } from '@tanstack/react-query'

import { api, body, withEtag } from './client'
import { PAGE_SIZE, type ListOf } from './lists'
import { setLive, type Live } from './live'
import type { Job, JobRequest, JobState } from './nouns'
import type { components } from './schema'

type CreatedJobs = components['schemas']['JobsCreated']

/** How many hosts one request may name. */
const MOST_HOSTS = 100

export interface JobFilter {
  host?: string
  /** As the address of the page has it: the server refuses what is not a state. */
  state?: string
  kind?: string
}

export function jobList(filter: JobFilter, limit = PAGE_SIZE): ListOf<Job> {
  return {
    queryKey: ['jobs', filter, limit],
    ask: (cursor, signal) => {
      const query = { ...filter, state: filter.state as JobState | undefined, limit, cursor }
      return body(api.GET('/api/v1/jobs', { params: { query }, signal }))
    },
  }
}

const OPEN = new Set(['queued', 'offered', 'accepted', 'running', 'presumed_lost'])

/** Whether a job has not ended yet. */
export function isOpen(job: Job): boolean {
  return OPEN.has(job.state)
}

export function liveJob(id: string): Live<Job> {
  return {
    queryKey: ['job', id],
    ask: ({ query, headers, signal }) =>
      withEtag(api.GET('/api/v1/jobs/{id}', { params: { path: { id }, query }, headers, signal })),
    over: (job) => !isOpen(job),
  }
}

export interface LogPart {
  text: string
  /** The position after the text, in bytes: where the next part starts. */
  next: number
  complete: boolean
  /** Why the log is not kept any more: `erased` or `expired`. `null`: it is. */
  gone: string | null
}

/** The log of a job after a position in bytes. Waits up to `wait` seconds for more. */
export async function logAfter(id: string, after: number, wait: number, signal: AbortSignal): Promise<LogPart> {
  const params = { path: { id }, query: { after, wait } }
  const call = await api.GET('/api/v1/jobs/{id}/log', { params, parseAs: 'text', signal })
  // An answer without a body has no data at all.
  const text = (await body<string | undefined>(Promise.resolve(call))) ?? ''
  const next = Number(call.response.headers.get('muster-log-next') ?? after + new TextEncoder().encode(text).length)
  const header = (name: string) => call.response.headers.get(name)
  return { text, next, complete: header('muster-log-complete') === 'true', gone: header('muster-log-gone') }
}

export function logHref(id: string): string {
  return `/api/v1/jobs/${encodeURIComponent(id)}/log`
}

export interface NewJobs extends Pick<JobRequest, 'kind' | 'spec' | 'if_offline' | 'time_limit_seconds'> {
  host_ids: string[]
  /** Idempotency key: repeating a request with the same key does not create a second job. */
  once: string
}

/** Creates a job on each host, with a hundred hosts per request. */
export async function createJobs({ host_ids, once, ...what }: NewJobs): Promise<Required<CreatedJobs>> {
  const made: Required<CreatedJobs> = { items: [], refused: [] }
  for (let start = 0; start < host_ids.length; start += MOST_HOSTS) {
    const request = { ...what, host_ids: host_ids.slice(start, start + MOST_HOSTS) }
    const headers = { 'idempotency-key': `${once}-${start}` }
    const created = await body(api.POST('/api/v1/jobs', { body: request as never, headers }))
    made.items.push(...created.items)
    made.refused.push(...(created.refused ?? []))
  }
  return made
}

export function useCreateJobs() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: createJobs,
    onSuccess: () => client.invalidateQueries({ queryKey: ['jobs'] }),
  })
}

const ACTIONS = {
  cancel: '/api/v1/jobs/{id}/cancel',
  give_up: '/api/v1/jobs/{id}/give-up',
} as const

/** Cancels a job, or gives it up because its host is lost. */
export function useActOnJob(action: keyof typeof ACTIONS) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => body(api.POST(ACTIONS[action], { params: { path: { id } } })) as Promise<Job>,
    onSuccess: (job) => {
      setLive(client, liveJob(job.id), job)
    },
  })
}
