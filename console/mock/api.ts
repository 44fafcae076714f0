/** The mock as a middleware: each visitor (a cookie) has a state of their own, made by a scenario. */

import { createHash, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

import { faultOfAnswer, faultOfRequest, routeOf, type Route } from './contract.ts'
import { HANDLERS, refuse, Refused, type Answer } from './handlers.ts'
import { makeState, SCENARIOS, type Scenario } from './scenarios.ts'
import type { State } from './state.ts'
import { move } from './time.ts'

const COOKIE = 'muster-mock'
/** So many visitors are remembered: ten thousand hosts are some megabytes each. */
const MOST_STATES = 24
const LOOK_AGAIN = 250
const OPEN_TO_ALL = new Set(['/api/v1/version', '/api/v1/health', '/api/v1/openapi.json'])

const states = new Map<string, State>()
const standing = scenarioOf(process.env.MUSTER_MOCK) ?? 'busy'

function scenarioOf(text: string | undefined): Scenario | undefined {
  return SCENARIOS.find((scenario) => scenario === text)
}

/** Answers what is the mock's to answer; says whether it was. */
export async function answer(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  const url = new URL(request.url ?? '/', 'http://mock')
  if (url.pathname.startsWith('/mock/')) {
    control(url, request, response)
    return true
  }
  if (!url.pathname.startsWith('/api/')) return false
  await answerApi(url, request, response)
  return true
}

/** `/mock/halted` starts that scenario anew, signed in; `/mock/busy?signed_out` before sign-in; `/mock/away` and `/mock/back` take the server away. */
function control(url: URL, request: IncomingMessage, response: ServerResponse): void {
  const name = url.pathname.slice('/mock/'.length)
  const scenario = scenarioOf(name)
  if (scenario) {
    const visitor = randomUUID()
    keep(visitor, makeState(scenario, !url.searchParams.has('signed_out')))
    response
      .writeHead(302, { location: url.searchParams.get('to') ?? '/', 'set-cookie': `${COOKIE}=${visitor}; Path=/` })
      .end()
    return
  }
  const state = stateOf(request, response)
  if (name === 'away') state.down = true
  else if (name === 'back') state.down = false
  else if (name === 'expire') state.signedIn = false
  response.writeHead(204).end()
}

function keep(visitor: string, state: State): void {
  states.set(visitor, state)
  const oldest = states.keys().next().value
  if (states.size > MOST_STATES && oldest !== undefined) states.delete(oldest)
}

function stateOf(request: IncomingMessage, response: ServerResponse): State {
  const visitor = new RegExp(`${COOKIE}=([\\w-]+)`).exec(request.headers.cookie ?? '')?.[1] ?? 'nobody'
  const known = states.get(visitor)
  if (known) return known
  const state = makeState(standing, false)
  const fresh = visitor === 'nobody' ? randomUUID() : visitor
  response.setHeader('set-cookie', `${COOKIE}=${fresh}; Path=/`)
  keep(fresh, state)
  return state
}

async function answerApi(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const state = stateOf(request, response)
  if (state.down) {
    response.destroy()
    return
  }
  const body = await read(request)
  const method = request.method ?? 'GET'
  const route = routeOf(method, url.pathname)
  try {
    const said = admit(state, request, route, url)
    const ask = () => handle(state, said, method, url, body)
    const known = request.headers['if-none-match']
    const wait = Number(url.searchParams.get('wait') ?? 0) * 1_000
    await send(response, said, await held(ask, state, known, wait, response))
  } catch (error) {
    const refused = error instanceof Refused ? error : refuse(500, 'internal', 'The mock has failed', String(error))
    if (!(error instanceof Refused)) console.error(`${method} ${url.pathname}:`, error)
    response
      .writeHead(refused.problem.status, { 'content-type': 'application/problem+json' })
      .end(JSON.stringify(refused.problem))
  }
}

/** The route, for somebody who may ask at all. */
function admit(state: State, request: IncomingMessage, route: Route | null, url: URL): Route {
  if (!route) throw refuse(404, 'not_found', 'There is no such route', url.pathname)
  const signingIn = request.method === 'POST' && route.template === '/api/v1/session'
  if (!state.signedIn && !signingIn && !OPEN_TO_ALL.has(route.template))
    throw refuse(401, 'unauthorized', 'Not signed in')
  const changes = request.method !== 'GET' && !signingIn
  if (changes && request.headers['x-csrf-token'] !== 'mock')
    throw refuse(403, 'csrf_refused', 'The request does not come from the console')
  return route
}

function handle(state: State, route: Route, method: string, url: URL, text: string): Answer {
  const body: unknown = text === '' ? {} : JSON.parse(text)
  const fault = method === 'GET' ? null : faultOfRequest(route, body)
  if (fault) throw refuse(400, 'invalid', 'The request breaks a rule', fault)
  const handler = HANDLERS[`${method} ${route.template}`]
  if (!handler) throw refuse(404, 'not_found', 'The mock does not play this route', route.template)
  move(state)
  return handler({ state, params: route.params, query: url.searchParams, body })
}

/** An answer when it differs from what is known, or when the time is over. */
async function held(
  ask: () => Answer,
  state: State,
  known: string | undefined,
  wait: number,
  response: ServerResponse,
): Promise<Answer> {
  const end = Date.now() + wait
  for (;;) {
    const found = ask()
    const log = found.headers?.['muster-log-next'] !== undefined
    const same = log
      ? found.body === '' && found.headers?.['muster-log-complete'] !== 'true'
      : known !== undefined && known === etag(found)
    if (!same) return found
    if (Date.now() >= end || state.down || response.destroyed) return log ? found : { status: 304 }
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN))
  }
}

/** Of all but the time it was made at. */
function etag({ body }: Answer): string {
  const text = JSON.stringify(body, (key, value: unknown) => (key === 'as_of' ? undefined : value))
  return `"${createHash('sha1').update(text).digest('hex')}"`
}

async function send(response: ServerResponse, route: Route, { status, body, headers }: Answer): Promise<void> {
  if (response.destroyed) return
  if (status === 304 || status === 204 || body === undefined) {
    response.writeHead(status).end()
    return
  }
  if (headers) {
    // As the server does: an empty body is announced, and not only found to be empty.
    const length = Buffer.byteLength(body as string)
    response.writeHead(status, { ...headers, 'content-length': length }).end(body)
    return
  }
  const fault = faultOfAnswer(route, status, body)
  if (fault) throw new Error(`the answer is not what openapi.json says: ${fault}`)
  response.writeHead(status, {
    'content-type': 'application/json',
    etag: etag({ status, body }),
    'cache-control': 'no-store',
  })
  await new Promise((resolve) => response.end(JSON.stringify(body), () => { resolve(null) })) // prettier-ignore
}

async function read(request: IncomingMessage): Promise<string> {
  let text = ''
  request.setEncoding('utf8')
  for await (const part of request) text += String(part)
  return text
}
