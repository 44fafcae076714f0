/** API calls for the session: sign-in, sign-out, and the actions that the account may use. */

import { queryOptions, useMutation, useSuspenseQuery } from '@tanstack/react-query'

import { api, body, clearCache, sessionKey } from './client'
import type { Session } from './nouns'

export const sessionQuery = queryOptions({
  queryKey: sessionKey,
  queryFn: ({ signal }): Promise<Session> => body(api.GET('/api/v1/session', { signal })),
  staleTime: 60_000,
})

export function useSession(): Session {
  return useSuspenseQuery(sessionQuery).data
}

export function useSignIn() {
  return useMutation({
    mutationFn: (credentials: { username: string; password: string }) =>
      body(api.POST('/api/v1/session', { body: { ...credentials, kind: 'cookie' } })),
    // The cache may hold data of another account. The session is loaded again, with its actions.
    onSuccess: clearCache,
  })
}

export function useSignOut() {
  return useMutation({
    mutationFn: () => body(api.DELETE('/api/v1/session')),
    onSettled: clearCache,
  })
}
