/** The API client: typed by openapi.json, with the CSRF token of the session on each change. */

import { QueryClient, MutationCache, QueryCache } from '@tanstack/react-query'
import createClient, { type Middleware } from 'openapi-fetch'

import type { paths } from './schema'
import type { Problem, Session } from './nouns'
import { hasStatus, ProblemError, Unreachable } from './problem'

export const sessionKey = ['session'] as const
export const connectionKey = ['connection'] as const

/** Whether the server answers. */
export interface Connection {
  down: boolean
}

/** The handler for an ended session; the router sets it. */
const ended: { handler?: () => void } = {}

export function onSessionEnded(handler: () => void): void {
  ended.handler = handler
}

function onError(error: unknown): void {
  if (hasStatus(error, 401)) ended.handler?.()
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    // There are no retries here: a problem is an answer, and `useConnection` retries if there is no answer.
    queries: { retry: false, staleTime: 5_000, networkMode: 'always' },
    mutations: { retry: false, networkMode: 'always' },
  },
})

/** Removes all data of the account from the cache. The state of the connection stays, because it belongs to no account. */
export function clearCache(): void {
  queryClient.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== connectionKey[0] })
  queryClient.getMutationCache().clear()
}

const csrf: Middleware = {
  onRequest: ({ request }) => {
    const token = queryClient.getQueryData<Session>(sessionKey)?.csrf_token
    if (token && request.method !== 'GET') request.headers.set('x-csrf-token', token)
  },
}

/** A fetch that also records whether the server can be reached. */
async function reach(request: Request): Promise<Response> {
  const answer = await fetch(request).catch((error: unknown) => {
    if (!request.signal.aborted) setConnection({ down: true })
    throw request.signal.aborted ? error : new Unreachable('The server did not answer.', { cause: error })
  })
  const foreign = [502, 503, 504].includes(answer.status) && !isProblem(answer)
  setConnection({ down: foreign })
  if (foreign) throw new Unreachable(`A proxy answered with status ${answer.status}.`)
  return answer
}

function setConnection(connection: Connection): void {
  const known = queryClient.getQueryData<Connection>(connectionKey)
  if ((known?.down ?? false) !== connection.down) queryClient.setQueryData(connectionKey, connection)
}

function isProblem(answer: Response): boolean {
  return answer.headers.get('content-type')?.startsWith('application/problem+json') ?? false
}

export const api = createClient<paths>({ baseUrl: location.origin, fetch: reach, cache: 'no-store' })
api.use(csrf)

interface ApiResult<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The body of an answer. Throws the problem if the answer is an error. */
export async function body<T>(call: Promise<ApiResult<T>>): Promise<T> {
  const { data, error, response } = await call
  if (!response.ok) throw new ProblemError(problemOf(error, response))
  return data as T
}

/** An answer with its ETag; `null` if nothing has changed. */
export async function withEtag<T>(call: Promise<ApiResult<T>>): Promise<{ body: T; etag: string | null } | null> {
  const answer = await call
  if (answer.response.status === 304) return null
  return { body: await body(Promise.resolve(answer)), etag: answer.response.headers.get('etag') }
}

function problemOf(error: unknown, response: Response): Problem {
  if (typeof error === 'object' && error !== null && 'title' in error) return error as Problem
  return {
    type: 'about:blank',
    title: `The server answered with status ${response.status}`,
    status: response.status,
    code: 'unknown',
  }
}
