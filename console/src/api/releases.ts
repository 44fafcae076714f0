/** Releases of the agent. */

import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'

import { api, body } from './client'
import { PAGE_SIZE, type ListOf } from './lists'
import type { Release } from './nouns'

export const releaseList: ListOf<Release> = {
  queryKey: ['releases', 'list'],
  ask: (cursor, signal) =>
    body(api.GET('/api/v1/releases', { params: { query: { limit: PAGE_SIZE, cursor } }, signal })),
}

export function releaseQuery(version: string) {
  return queryOptions({
    queryKey: ['releases', 'one', version],
    queryFn: ({ signal }): Promise<Release> =>
      body(api.GET('/api/v1/releases/{version}', { params: { path: { version } }, signal })),
  })
}

export function useYankRelease() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: ({ version, reason }: { version: string; reason: string }) =>
      body(api.POST('/api/v1/releases/{version}/yank', { params: { path: { version } }, body: { reason } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['releases'] }),
  })
}
