/** API calls for user accounts. */

import { useMutation, useQueryClient } from '@tanstack/react-query'

import { api, body } from './client'
import { PAGE_SIZE, type ListOf } from './lists'
import type { Role, User } from './nouns'

export const userList: ListOf<User> = {
  queryKey: ['users'],
  ask: (cursor, signal) => body(api.GET('/api/v1/users', { params: { query: { limit: PAGE_SIZE, cursor } }, signal })),
}

function useUserMutation<T>(mutationFn: (input: T) => Promise<unknown>) {
  const client = useQueryClient()
  return useMutation({ mutationFn, onSuccess: () => client.invalidateQueries({ queryKey: userList.queryKey }) })
}

export function useCreateUser() {
  return useUserMutation((user: { username: string; password: string; role: Role }) =>
    body(api.POST('/api/v1/users', { body: user })),
  )
}

export function useChangeUser() {
  return useUserMutation(({ id, ...change }: { id: string; password?: string; role?: Role }) =>
    body(api.PATCH('/api/v1/users/{id}', { params: { path: { id } }, body: change })),
  )
}

export function useRemoveUser() {
  return useUserMutation((id: string) => body(api.DELETE('/api/v1/users/{id}', { params: { path: { id } } })))
}
