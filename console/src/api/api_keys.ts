/** API calls for API keys. */

import { useMutation, useQueryClient } from '@tanstack/react-query'

import { api, body } from './client'
import { PAGE_SIZE, type ListOf } from './lists'
import type { ApiKey } from './nouns'
import type { components } from './schema'

export const apiKeyList: ListOf<ApiKey> = {
  queryKey: ['api-keys'],
  ask: (cursor, signal) =>
    body(api.GET('/api/v1/api-keys', { params: { query: { limit: PAGE_SIZE, cursor } }, signal })),
}

export function useCreateApiKey() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (request: components['schemas']['ApiKeyRequest']) =>
      body(api.POST('/api/v1/api-keys', { body: request })),
    onSuccess: () => client.invalidateQueries({ queryKey: apiKeyList.queryKey }),
  })
}

export function useRevokeApiKey() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => body(api.DELETE('/api/v1/api-keys/{id}', { params: { path: { id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: apiKeyList.queryKey }),
  })
}
