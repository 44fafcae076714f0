/** API calls for hosts: all hosts in the query cache, one host live, and changes. */

import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'

import { pause } from '../logic/pauses'
import { api, body, queryClient, withEtag } from './client'
import { setLive, type Live } from './live'
import type { Host, Job, Page } from './nouns'

/** The first page is small, so that it shows soon; the others are large. */
const FIRST_PAGE = 100
const PAGE_SIZE = 1_000
const PAINT = 50
export const hostsKey = ['hosts'] as const

export interface Hosts {
  items: Host[]
  /** Whether more pages are still loading. */
  loading: boolean
}

/** All hosts. The first page shows as soon as it has loaded. */
export const hostsQuery = queryOptions({
  queryKey: hostsKey,
  queryFn: ({ signal }) => loadAll(signal),
  staleTime: 15_000,
  gcTime: 30 * 60_000,
  // Ten thousand hosts are megabytes, so the refresh interval grows with the number of hosts.
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
      // This pause lets the browser draw the first page before the next one arrives.
      await pause(PAINT, signal)
    }
  } while (cursor)
  return { items, loading: false }
}

export function liveHost(id: string): Live<Host> {
  return {
    queryKey: ['host', id],
    ask: ({ query, headers, signal }) =>
      withEtag(api.GET('/api/v1/hosts/{id}', { params: { path: { id }, query }, headers, signal })),
  }
}

/** The name of a host, or its id if the host is not in the cache. */
export function hostName(hosts: Hosts, id: string): string {
  const known = names.get(hosts) ?? new Map(hosts.items.map((host) => [host.id, host.name]))
  names.set(hosts, known)
  return known.get(id) ?? id
}

const names = new WeakMap<Hosts, Map<string, string>>()

/** The hosts as last loaded, for components that need only names and must not cause a refresh. */
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
