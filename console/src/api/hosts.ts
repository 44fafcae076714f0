/** Hosts: all of them in the cache, page after page; and one, live. */

import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'

import { pause } from '../logic/pauses'
import { api, body, queryClient, tagged } from './client'
import { setLive, type Live } from './live'
import type { Host, Job, Page } from './nouns'

/** What is in sight at first must be there soon; the rest comes by the thousand. */
const FIRST_PAGE = 100
const PAGE_SIZE = 1_000
const PAINT = 50
export const hostsKey = ['hosts'] as const

export interface Hosts {
  items: Host[]
  /** Whether there are more to come. */
  loading: boolean
}

/** Every host. The first page shows as soon as it is there. */
export const hostsQuery = queryOptions({
  queryKey: hostsKey,
  queryFn: ({ signal }) => loadAll(signal),
  staleTime: 15_000,
  gcTime: 30 * 60_000,
  // Ten thousand hosts are megabytes: the more there are, the seldomer all are read again.
  refetchInterval: (query) => 15_000 + 10 * (query.state.data?.items.length ?? 0),
})

async function loadAll(signal: AbortSignal): Promise<Hosts> {
  const first = !queryClient.getQueryData<Hosts>(hostsKey)
  let items: Host[] = []
  let cursor: string | undefined
  do {
    const query = { limit: cursor ? PAGE_SIZE : FIRST_PAGE, cursor }
    const page = (await body(api.GET('/api/v1/hosts', { params: { query }, signal }))) as Page<Host>
    items = items.concat(page.items)
    cursor = page.next_cursor ?? undefined
    if (first && cursor) {
      queryClient.setQueryData<Hosts>(hostsKey, { items, loading: true })
      // What is there is drawn before more is asked for.
      await pause(PAINT, signal)
    }
  } while (cursor)
  return { items, loading: false }
}

export function liveHost(id: string): Live<Host> {
  return {
    queryKey: ['host', id],
    ask: ({ query, headers, signal }) =>
      tagged(api.GET('/api/v1/hosts/{id}', { params: { path: { id }, query }, headers, signal })),
  }
}

/** What operators call hosts, as far as they are known. */
export function hostName(hosts: Hosts, id: string): string {
  const known = names.get(hosts) ?? new Map(hosts.items.map((host) => [host.id, host.name]))
  names.set(hosts, known)
  return known.get(id) ?? id
}

const names = new WeakMap<Hosts, Map<string, string>>()

/** The hosts as they were loaded last, for those who only want names: never loaded again for that. */
export const knownHostsQuery = queryOptions({ ...hostsQuery, staleTime: Infinity, refetchInterval: false })

export interface HostChange {
  id: string
  name?: string
  /** `null` removes a label. */
  labels?: Record<string, string | null>
}

export async function changeHost({ id, ...change }: HostChange): Promise<Host> {
  return await body(api.PATCH('/api/v1/hosts/{id}', { params: { path: { id } }, body: change }))
}

export function useChangeHost() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: changeHost,
    onSuccess: (host) => {
      setLive(client, liveHost(host.id), host)
      void client.invalidateQueries({ queryKey: hostsKey })
    },
  })
}

export function useReadmitHost(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (reason: string) =>
      body(api.POST('/api/v1/hosts/{id}/readmit', { params: { path: { id } }, body: { reason } })) as Promise<Host>,
    onSuccess: (host) => {
      setLive(client, liveHost(id), host)
    },
  })
}

export function useRemoveHost(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (query: { force: boolean; reason?: string }) =>
      body(api.DELETE('/api/v1/hosts/{id}', { params: { path: { id }, query } })),
    onSuccess: () => client.invalidateQueries({ queryKey: hostsKey }),
  })
}

export function useUpdateHost(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (version: string) =>
      body(api.POST('/api/v1/hosts/{id}/update', { params: { path: { id } }, body: { version } })) as Promise<Job>,
    onSuccess: () => client.invalidateQueries({ queryKey: ['jobs'] }),
  })
}
