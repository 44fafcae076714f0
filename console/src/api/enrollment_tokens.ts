/** API calls for enrollment tokens, with which hosts join. */

import { useMutation, useQueryClient } from '@tanstack/react-query'

import { api, body } from './client'
import { PAGE_SIZE, type ListOf } from './lists'
import type { EnrollmentToken } from './nouns'
import type { components } from './schema'

export const enrollmentTokenList: ListOf<EnrollmentToken> = {
  queryKey: ['enrollment-tokens'],
  ask: (cursor, signal) =>
    body(api.GET('/api/v1/enrollment-tokens', { params: { query: { limit: PAGE_SIZE, cursor } }, signal })),
}

export function useCreateEnrollmentToken() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (request: components['schemas']['EnrollmentTokenRequest']) =>
      body(api.POST('/api/v1/enrollment-tokens', { body: request })),
    onSuccess: () => client.invalidateQueries({ queryKey: enrollmentTokenList.queryKey }),
  })
}

export function useRevokeEnrollmentToken() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (id: string) => body(api.DELETE('/api/v1/enrollment-tokens/{id}', { params: { path: { id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: enrollmentTokenList.queryKey }),
  })
}
