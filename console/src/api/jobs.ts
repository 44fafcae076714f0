/** Jobs: the list, one of them live, and new ones. */

import { useMutation, useQueryClient } from '@tanstack/react-query'

import { api, body, tagged } from './client'
import { PAGE_SIZE, type ListOf } from './lists'
import { setLive, type Live } from './live'
import type { Job, JobRequest, JobState } from './nouns'
import type { components } from './schema'

type Created = components['schemas']['JobsCreated']

/** So many hosts one request may name. */
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

/** Whether a job may still come to something. */
export function isOpen(job: Job): boolean {
  return OPEN.has(job.state)
}

export function liveJob(id: string): Live<Job> {
  return {
    queryKey: ['job', id],
    ask: ({ query, headers, signal }) =>
      tagged(api.GET('/api/v1/jobs/{id}', { params: { path: { id }, query }, headers, signal })),
    over: (job) => !isOpen(job),
  }
}

export interface LogPart {
  text: string
  /** The byte behind it: where to go on. */
  next: number
  complete: boolean
}

/** What a job has put out behind a byte; waits for more. */
export async function logAfter(id: string, after: number, wait: number, signal: AbortSignal): Promise<LogPart> {
  const params = { path: { id }, query: { after, wait } }
  const call = await api.GET('/api/v1/jobs/{id}/log', { params, parseAs: 'text', signal })
  const text = String(await body(Promise.resolve(call as { data?: unknown; error?: unknown; response: Response })))
  const next = Number(call.response.headers.get('muster-log-next') ?? after + new TextEncoder().encode(text).length)
  return { text, next, complete: call.response.headers.get('muster-log-complete') === 'true' }
}

export function logHref(id: string): string {
  return `/api/v1/jobs/${encodeURIComponent(id)}/log`
}

export interface NewJobs extends Pick<JobRequest, 'kind' | 'spec' | 'if_offline' | 'time_limit_seconds'> {
  host_ids: string[]
  /** The same key again makes no second job. */
  once: string
}

/** Makes a job on each host, a hundred at a time. */
export async function createJobs({ host_ids, once, ...what }: NewJobs): Promise<Required<Created>> {
  const made: Required<Created> = { items: [], refused: [] }
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

export function useCancelJob() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) =>
      body(api.POST('/api/v1/jobs/{id}/cancel', { params: { path: { id } } })) as Promise<Job>,
    onSuccess: (job) => {
      setLive(client, liveJob(job.id), job)
    },
  })
}
