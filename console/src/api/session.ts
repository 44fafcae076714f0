/** Who is signed in, and what they may do at all. */

import { queryOptions, useMutation, useSuspenseQuery } from '@tanstack/react-query'

import { api, body, forgetPeople, sessionKey } from './client'
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
    // Nothing of who was here before stays; the session is asked for anew, with what it allows.
    onSuccess: forgetPeople,
  })
}

export function useSignOut() {
  return useMutation({
    mutationFn: () => body(api.DELETE('/api/v1/session')),
    onSettled: forgetPeople,
  })
}
