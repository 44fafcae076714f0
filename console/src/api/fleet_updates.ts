/** API calls for fleet updates: the list, the plan, one fleet update live with its hosts, and its actions. */

import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'

import { api, body, withEtag } from './client'
import { PAGE_SIZE, type ListOf } from './lists'
import { setLive, type Live } from './live'
import type { FleetUpdate, FleetUpdateHost, FleetUpdatePlan, FleetUpdateRequest } from './nouns'

const HOSTS_REFRESH = 15_000
const HOSTS_PAGE = 1_000

export const fleetUpdateList: ListOf<FleetUpdate> = {
  queryKey: ['fleet-updates'],
  ask: (cursor, signal) =>
    body(api.GET('/api/v1/fleet-updates', { params: { query: { limit: PAGE_SIZE, cursor } }, signal })),
}

/** Whether the fleet update has ended for good. */
export function isOver(fleetUpdate: FleetUpdate): boolean {
  return fleetUpdate.state === 'completed' || fleetUpdate.state === 'cancelled'
}

export function liveFleetUpdate(id: string): Live<FleetUpdate> {
  return {
    queryKey: ['fleet-update', id],
    ask: ({ query, headers, signal }) =>
      withEtag(api.GET('/api/v1/fleet-updates/{id}', { params: { path: { id }, query }, headers, signal })),
    over: isOver,
  }
}

/** The hosts of a fleet update. They are read again with each revision, because every verdict on a host makes one. */
export function fleetUpdateHostsQuery(id: string, revision: number, over: boolean) {
  return queryOptions({
    queryKey: ['fleet-update', id, 'hosts', revision],
    queryFn: ({ signal }) => allHosts(id, signal),
    placeholderData: keepPreviousData,
    // The texts about waiting change without a new revision.
    refetchInterval: over ? false : HOSTS_REFRESH,
  })
}

async function allHosts(id: string, signal: AbortSignal): Promise<FleetUpdateHost[]> {
  let items: FleetUpdateHost[] = []
  let cursor: string | undefined
  do {
    const params = { path: { id }, query: { limit: HOSTS_PAGE, cursor } }
    const page = await body(api.GET('/api/v1/fleet-updates/{id}/hosts', { params, signal }))
    items = items.concat(page.items)
    cursor = page.next_cursor ?? undefined
  } while (cursor)
  return items
}

export function usePlan() {
  return useMutation({
    mutationFn: (request: FleetUpdateRequest) =>
      body(
        api.POST('/api/v1/fleet-updates', { params: { query: { dry_run: true } }, body: request }),
      ) as Promise<FleetUpdatePlan>,
  })
}

export function useStartFleetUpdate() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ request, once }: { request: FleetUpdateRequest; once: string }) =>
      body(
        api.POST('/api/v1/fleet-updates', { body: request, headers: { 'idempotency-key': once } }),
      ) as Promise<FleetUpdate>,
    onSuccess: (fleetUpdate) => {
      setLive(client, liveFleetUpdate(fleetUpdate.id), fleetUpdate)
      void client.invalidateQueries({ queryKey: fleetUpdateList.queryKey })
    },
  })
}

const ROUTES = {
  pause: '/api/v1/fleet-updates/{id}/pause',
  resume: '/api/v1/fleet-updates/{id}/resume',
  cancel: '/api/v1/fleet-updates/{id}/cancel',
  retry_failed: '/api/v1/fleet-updates/{id}/retry-failed',
  write_off: '/api/v1/fleet-updates/{id}/write-off',
} as const

export type FleetUpdateAction = keyof typeof ROUTES

export function useActOnFleetUpdate(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ action, ...what }: { action: FleetUpdateAction; note?: string; host_id?: string }) =>
      body(api.POST(ROUTES[action], { params: { path: { id } }, body: what })) as Promise<FleetUpdate>,
    onSuccess: (fleetUpdate) => {
      setLive(client, liveFleetUpdate(id), fleetUpdate)
    },
  })
}

/** Query key for the ids of the hosts that are selected for a fleet update. */
export const selectionKey = ['selection'] as const
