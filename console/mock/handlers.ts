/** What the mock does for each documented route of people. Those of agents it does not play. */

import { runSpec, updateSpec } from '../src/logic/jobs.ts'
import type { FleetUpdateRequest, JobRequest, Problem, Role } from '../src/api/nouns'
import {
  fleetUpdateActions,
  hostActions,
  jobActions,
  keyActions,
  releaseActions,
  sessionOf,
  tokenActions,
  userActions,
} from './actions.ts'
import { ago, id } from './chance.ts'
import { sample } from './contract.ts'
import { NEWEST } from './fleet.ts'
import { count, makeFleetUpdate, makeJob } from './scenarios.ts'
import { byId, type FleetUpdateRecord, type State } from './state.ts'

export interface Call {
  state: State
  params: Record<string, string>
  query: URLSearchParams
  body: unknown
}

export interface Answer {
  status: number
  body?: unknown
  headers?: Record<string, string>
}

export type Handler = (call: Call) => Answer

export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title)
  }
}

export function refuse(status: number, code: Problem['code'], title: string, detail?: string): Refused {
  return new Refused({ type: `/problems/${code}`, title, status, detail, code, instance: id('req') })
}

function ok(body: unknown, status = 200): Answer {
  return { status, body }
}

function found<T>(record: T | undefined): T {
  if (record === undefined) throw refuse(404, 'not_found', 'There is no such thing')
  return record
}

/** Refuses what the resource says is not allowed. */
function may(actions: { why_not: Record<string, string> }, action: string): void {
  const reason = actions.why_not[action]
  if (reason)
    throw refuse(
      reason.startsWith('This needs') ? 403 : 409,
      reason.startsWith('This needs') ? 'forbidden' : 'wrong_state',
      'Not allowed',
      reason,
    )
}

function page<T>(items: T[], query: URLSearchParams): Answer {
  const start = Number(query.get('cursor') ?? 0)
  const end = start + Number(query.get('limit') ?? 100)
  return ok({ items: items.slice(start, end), ...(end < items.length && { next_cursor: String(end) }) })
}

const hostView = (state: State, host: State['hosts'][number]) => ({ ...host, ...hostActions(state, host) })
const jobView = (state: State, job: State['jobs'][number]) => ({
  ...job,
  title: titleOf(job),
  ...jobActions(state, job),
})

function titleOf(job: State['jobs'][number]): string {
  const [run, update] = [runSpec(job), updateSpec(job)]
  if (run) return run.argv.join(' ')
  if (update) return `update the agent to ${update.version}`
  return job.kind === 'reset_breakers' ? 'reset circuit breakers' : 'inspect the host'
}

const fleetUpdateView = (state: State, { view, hosts }: FleetUpdateRecord) => ({
  ...view,
  ...fleetUpdateActions(state, view, hosts.some((host) => host.state === 'lost')), // prettier-ignore
})

function overview({ state }: Call): Answer {
  const count = (wanted: (host: State['hosts'][number]) => boolean) => state.hosts.filter(wanted).length
  const versions: Record<string, number> = {}
  for (const { agent } of state.hosts) if (agent) versions[agent.version] = (versions[agent.version] ?? 0) + 1
  return ok({
    hosts: {
      total: state.hosts.length,
      online: count((host) => host.online),
      offline: count((host) => !host.online),
      behind: count((host) => host.update_available),
      quarantined: count((host) => host.state === 'quarantined'),
    },
    newest_release: state.releases.length > 0 ? NEWEST : null,
    versions,
    fleet_updates: state.fleetUpdates
      .filter(({ view }) => view.state !== 'completed' && view.state !== 'cancelled')
      .map((record) => fleetUpdateView(state, record)),
    recent_failures: state.jobs
      .filter((job) => ['failed', 'rejected', 'interrupted', 'expired'].includes(job.state))
      .slice(0, 10)
      .map((job) => jobView(state, job)),
    history: state.history,
    as_of: ago(0),
  })
}

function listHosts({ state, query }: Call): Answer {
  const wanted = state.hosts.filter((host) => query.get('updates') !== 'behind' || host.update_available)
  return page(wanted, query).status === 200
    ? mapPage(page(wanted, query), (host) => hostView(state, host as State['hosts'][number]))
    : ok({})
}

function mapPage(answer: Answer, view: (item: unknown) => unknown): Answer {
  const body = answer.body as { items: unknown[]; next_cursor?: string }
  return ok({ ...body, items: body.items.map(view) })
}

function changeHost({ state, params, body }: Call): Answer {
  const host = found(byId(state.hosts, params.id))
  may(hostActions(state, host), 'change')
  const { name, labels } = body as { name?: string; labels?: Record<string, string | null> }
  if (name) host.name = name
  const merged = Object.entries({ ...host.labels, ...labels }).filter(
    (pair): pair is [string, string] => pair[1] !== null,
  )
  host.labels = Object.fromEntries(merged)
  host.revision += 1
  return ok(hostView(state, host))
}

function createJobs({ state, body }: Call): Answer {
  may(sessionOf(state), 'create_jobs')
  const request = body as JobRequest
  const items = []
  const refused = []
  for (const host_id of request.host_ids ?? []) {
    const host = found(byId(state.hosts, host_id))
    const why =
      hostActions(state, host).why_not.run ??
      (!host.online && request.if_offline !== 'queue' ? 'if_offline=queue keeps the job until start_by' : null)
    if (why) {
      refused.push({ host_id, problem: refuse(409, 'host_offline', 'The host cannot take the job', why).problem })
      continue
    }
    const job = makeJob(
      host,
      host.online ? 'running' : 'queued',
      [],
      host.online ? undefined : 'the host to come online',
      0,
    )
    Object.assign(job, { kind: request.kind, spec: request.spec ?? {} })
    if (host.online)
      state.logs.set(job.id, { text: '', coming: ['one\n', 'two\n', 'three\n', '\u001b[32mdone\u001b[0m\n'] })
    state.jobs.unshift(job)
    items.push(jobView(state, job))
  }
  return ok({ items, refused }, 202)
}

function updateHost({ state, params, body }: Call): Answer {
  const host = found(byId(state.hosts, params.id))
  may(hostActions(state, host), 'update')
  const { version } = body as { version: string }
  const job = makeJob(host, 'running', [], undefined, 0)
  const manifest_sha256 = found(state.releases.find((release) => release.version === version)).manifest_sha256
  Object.assign(job, { kind: 'self_update', spec: { version, manifest_sha256 } })
  state.logs.set(job.id, { text: '', coming: ['download\n', 'verified\n', 'trial\n', 'committed\n'] })
  state.jobs.unshift(job)
  return ok(jobView(state, job), 202)
}

function log({ state, params, query }: Call): Answer {
  const job = found(byId(state.jobs, params.id))
  const bytes = Buffer.from(state.logs.get(job.id)?.text ?? '')
  const after = Number(query.get('after') ?? 0)
  const end = Math.min(bytes.length, after + 65_536)
  const complete = !['queued', 'offered', 'accepted', 'running'].includes(job.state) && end >= bytes.length
  const headers = {
    'muster-log-next': String(Math.max(after, end)),
    'muster-log-complete': String(complete),
    'content-type': 'text/plain; charset=utf-8',
  }
  return { status: 200, body: bytes.subarray(after, end).toString(), headers }
}

function chosenHosts(state: State, request: FleetUpdateRequest): State['hosts'] {
  const { labels = {}, os } = request.selector ?? {}
  const ids = request.host_ids?.length ? new Set(request.host_ids) : null
  const chosen = state.hosts.filter(
    (host) =>
      host.state === 'active' &&
      (!ids || ids.has(host.id)) &&
      (!os || host.facts.os === os) &&
      Object.entries(labels).every(([key, value]) => host.labels[key] === value),
  )
  if (chosen.length === 0) throw refuse(400, 'invalid', 'The request breaks a rule', 'selector: matches no hosts')
  return chosen
}

/** Waves as numbers: shares are of those taking part, and what is left over is the last. */
function waveSizes(waves: FleetUpdateRequest['waves'], total: number): number[] {
  const sizes: number[] = []
  let left = total
  for (const wave of waves ?? [1]) {
    const size = Math.min(left, shareOf(wave, total))
    if (size > 0) sizes.push(size)
    left -= size
  }
  return left > 0 ? [...sizes, left] : sizes
}

function shareOf(share: number | string, total: number): number {
  return typeof share === 'number' ? share : Math.max(1, Math.floor((parseInt(share) * total) / 100))
}

function createFleetUpdate({ state, query, body }: Call): Answer {
  const request = body as FleetUpdateRequest
  may(sessionOf(state), 'create_fleet_updates')
  const version = request.version ?? ''
  const chosen = chosenHosts(state, request)
  const older = chosen.filter((host) => host.agent?.version !== version)
  const taking = older.filter((host) => host.online || request.offline_policy !== 'skip')
  const sizes = waveSizes(request.waves, taking.length)
  const inFlight = shareOf(request.max_in_flight ?? 1, taking.length)
  if (query.get('dry_run') === 'true') {
    let start = 0
    const waves = sizes.map((size) => taking.slice(start, (start += size)))
    return ok({
      version,
      waves: waves.map((hosts) =>
        hosts.map(({ id, name, agent, online }) => ({ host_id: id, name, version: agent?.version, online })),
      ),
      current: chosen.filter((host) => host.agent?.version === version).map((host) => host.id),
      offline: older.filter((host) => !host.online).map((host) => host.id),
      max_in_flight: inFlight,
      best_case_seconds:
        sizes.reduce((sum, size) => sum + Math.ceil(size / inFlight) * 60, 0) +
        (sizes.length - 1) * (request.soak_seconds ?? 300),
      incomplete: false,
    })
  }
  // One that has halted has given its lock back.
  const active = state.fleetUpdates.find(({ view }) => !['completed', 'cancelled', 'halted'].includes(view.state))
  if (active) throw refuse(409, 'fleet_update_active', 'Another fleet update is active', active.view.id)
  const record = makeFleetUpdate(state, taking, sizes, version, 0)
  Object.assign(record.view, {
    max_in_flight: inFlight,
    note: request.note ?? '',
    soak_seconds: request.soak_seconds ?? 300,
  })
  count(record)
  state.fleetUpdates.unshift(record)
  return ok(fleetUpdateView(state, record), 201)
}

function fleetUpdateOf({ state, params }: Call): FleetUpdateRecord {
  return found(state.fleetUpdates.find(({ view }) => view.id === params.id))
}

function act(action: string, change: (record: FleetUpdateRecord, hostId: string | undefined) => void): Handler {
  return (call) => {
    const record = fleetUpdateOf(call)
    may(fleetUpdateView(call.state, record), action)
    change(record, (call.body as { host_id?: string }).host_id)
    record.view.revision += 1
    count(record)
    return ok(fleetUpdateView(call.state, record))
  }
}

function reopen({ view, hosts }: FleetUpdateRecord): void {
  for (const host of hosts)
    if (host.state === 'failed') Object.assign(host, { state: 'pending', reason: undefined, waiting_on: 'its turn' })
  Object.assign(view, {
    state: 'running',
    failures: 0,
    halted_reason: undefined,
    waiting_on: 'hosts to prove themselves',
  })
}

function writeOff({ view, hosts }: FleetUpdateRecord, hostId: string | undefined): void {
  const host = hosts.find((each) => each.host_id === hostId)
  if (host) Object.assign(host, { state: 'failed', reason: 'written off', waiting_on: undefined, ended_at: ago(0) })
  view.in_flight = view.in_flight.filter((each) => each !== hostId)
}

function signIn({ state, body }: Call): Answer {
  const { username, password } = body as { username: string; password: string }
  if (password === 'wrong') throw refuse(401, 'unauthorized', 'Not signed in', 'wrong name or password')
  Object.assign(state, { signedIn: true, username })
  return ok({ ...sessionOf(state) }, 201)
}

function create<T extends object>(action: string, add: (call: Call) => T): Handler {
  return (call) => {
    may(sessionOf(call.state), action)
    return ok(add(call), 201)
  }
}

function addToken({ state, body }: Call): object {
  const { seats, valid_for_seconds, labels, note } = body as {
    seats?: number
    valid_for_seconds?: number
    labels?: Record<string, string>
    note?: string
  }
  const token = {
    id: id('tok'),
    state: 'open' as const,
    seats: seats ?? 1,
    used: 0,
    labels: labels ?? {},
    note: note ?? '',
    created_at: ago(0),
    expires_at: ago(-(valid_for_seconds ?? 3_600)),
  }
  state.tokens.unshift(token)
  const text = 'met_01KJQ6PSG0DRSNYJN0TRKP6Y1X_9f86d081884c7d659a2feaa0c55ad015'
  const server = 'https://muster.example'
  return {
    ...token,
    token: text,
    install_command: `{ echo MUSTER_ENROLLMENT_TOKEN=${text}; curl -fsSL ${server}/api/v1/install.sh; } | sudo sh -s -- --server ${server}`,
    ...tokenActions(state, token),
  }
}

function addUser({ state, body }: Call): object {
  const { username, role } = body as { username: string; role: Role }
  if (state.users.some((user) => user.username === username))
    throw refuse(409, 'already_exists', 'There is one already', `a user ${username}`)
  const user = { id: id('usr'), username, role, created_at: ago(0), revision: 1 }
  state.users.push(user)
  return { ...user, ...userActions(state, user) }
}

function addKey({ state, body }: Call): object {
  const { name, role, valid_for_seconds } = body as { name: string; role: Role; valid_for_seconds?: number }
  const key = { id: id('key'), name, role, created_at: ago(0), expires_at: ago(-(valid_for_seconds ?? 86_400 * 90)) }
  state.keys.unshift(key)
  return { ...key, key: 'mst_01KJQ6PSG0DRSNYJN0TRKP6Y1Y_2c26b46b68ffc68ff99b453c1d304134', ...keyActions(state) }
}

export const HANDLERS: Record<string, Handler> = {
  'GET /api/v1/overview': overview,
  'GET /api/v1/version': () => ok(sample('version')),
  'GET /api/v1/health': () => ok({ ...sample<object>('health'), status: 'ok' }),
  'GET /api/v1/session': ({ state }) => ok(sessionOf(state)),
  'POST /api/v1/session': signIn,
  'DELETE /api/v1/session': ({ state }) => {
    state.signedIn = false
    return { status: 204 }
  },
  'GET /api/v1/hosts': listHosts,
  'GET /api/v1/hosts/{id}': ({ state, params }) => ok(hostView(state, found(byId(state.hosts, params.id)))),
  'PATCH /api/v1/hosts/{id}': changeHost,
  'DELETE /api/v1/hosts/{id}': ({ state, params }) => {
    const host = found(byId(state.hosts, params.id))
    may(hostActions(state, host), 'remove')
    host.state = 'retired'
    return { status: 204 }
  },
  'POST /api/v1/hosts/{id}/readmit': ({ state, params }) => {
    const host = found(byId(state.hosts, params.id))
    may(hostActions(state, host), 'readmit')
    Object.assign(host, { state: 'active', state_reason: undefined, revision: host.revision + 1 })
    return ok(hostView(state, host))
  },
  'POST /api/v1/hosts/{id}/update': updateHost,
  'GET /api/v1/jobs': ({ state, query }) => {
    const is = (key: string, value: string) => !query.get(key) || query.get(key) === value
    const wanted = state.jobs.filter((job) => is('host', job.host_id) && is('state', job.state) && is('kind', job.kind))
    return mapPage(page(wanted, query), (job) => jobView(state, job as State['jobs'][number]))
  },
  'POST /api/v1/jobs': createJobs,
  'GET /api/v1/jobs/{id}': ({ state, params }) => ok(jobView(state, found(byId(state.jobs, params.id)))),
  'POST /api/v1/jobs/{id}/cancel': ({ state, params }) => {
    const job = found(byId(state.jobs, params.id))
    may(jobActions(state, job), 'cancel')
    if (job.state === 'queued') Object.assign(job, { state: 'cancelled', ended_at: ago(0), waiting_on: undefined })
    Object.assign(job, { cancel_requested: true, revision: job.revision + 1 })
    return ok(jobView(state, job))
  },
  'GET /api/v1/jobs/{id}/log': log,
  'GET /api/v1/releases': ({ state, query }) => page(state.releases.map((release) => ({ ...release, ...releaseActions(state, release) })), query), // prettier-ignore
  'GET /api/v1/releases/{version}': ({ state, params }) => {
    const release = found(state.releases.find((each) => each.version === params.version))
    return ok({ ...release, ...releaseActions(state, release) })
  },
  'POST /api/v1/releases/{version}/yank': ({ state, params, body }) => {
    const release = found(state.releases.find((each) => each.version === params.version))
    may(releaseActions(state, release), 'yank')
    Object.assign(release, { state: 'yanked', yanked_reason: (body as { reason: string }).reason })
    return ok({ ...release, ...releaseActions(state, release) })
  },
  'GET /api/v1/fleet-updates': ({ state, query }) => page(state.fleetUpdates.map((record) => fleetUpdateView(state, record)), query), // prettier-ignore
  'POST /api/v1/fleet-updates': createFleetUpdate,
  'GET /api/v1/fleet-updates/{id}': (call) => ok(fleetUpdateView(call.state, fleetUpdateOf(call))),
  'GET /api/v1/fleet-updates/{id}/hosts': (call) => page(fleetUpdateOf(call).hosts, call.query),
  'POST /api/v1/fleet-updates/{id}/pause': act('pause', ({ view }) =>
    Object.assign(view, { state: 'paused', waiting_on: 'an operator to resume it' }),
  ),
  'POST /api/v1/fleet-updates/{id}/resume': act('resume', ({ view }) =>
    Object.assign(view, {
      state: 'running',
      failures: 0,
      halted_reason: undefined,
      waiting_on: 'hosts to prove themselves',
    }),
  ),
  'POST /api/v1/fleet-updates/{id}/cancel': act('cancel', ({ view, hosts }) => {
    for (const host of hosts)
      if (host.state === 'pending') Object.assign(host, { state: 'cancelled', waiting_on: undefined })
    Object.assign(view, { state: 'cancelled', waiting_on: undefined, ended_at: ago(0) })
  }),
  'POST /api/v1/fleet-updates/{id}/retry-failed': act('retry_failed', reopen),
  'POST /api/v1/fleet-updates/{id}/write-off': act('write_off', writeOff),
  'GET /api/v1/enrollment-tokens': ({ state, query }) => {
    may(sessionOf(state), 'look_at_enrollment_tokens')
    return page(state.tokens.map((token) => ({ ...token, ...tokenActions(state, token) })), query) // prettier-ignore
  },
  'POST /api/v1/enrollment-tokens': create('create_enrollment_tokens', addToken),
  'DELETE /api/v1/enrollment-tokens/{id}': ({ state, params }) => {
    const token = found(byId(state.tokens, params.id))
    may(tokenActions(state, token), 'revoke')
    token.state = 'revoked'
    return { status: 204 }
  },
  'GET /api/v1/users': ({ state, query }) => {
    may(sessionOf(state), 'look_at_users')
    return page(state.users.map((user) => ({ ...user, ...userActions(state, user) })), query) // prettier-ignore
  },
  'POST /api/v1/users': create('create_users', addUser),
  'PATCH /api/v1/users/{id}': ({ state, params, body }) => {
    const user = found(byId(state.users, params.id))
    may(userActions(state, user), 'change')
    const { role } = body as { role?: Role }
    if (role) user.role = role
    return ok({ ...user, ...userActions(state, user) })
  },
  'DELETE /api/v1/users/{id}': ({ state, params }) => {
    const user = found(byId(state.users, params.id))
    may(userActions(state, user), 'remove')
    state.users = state.users.filter((each) => each !== user)
    return { status: 204 }
  },
  'GET /api/v1/api-keys': ({ state, query }) => {
    may(sessionOf(state), 'look_at_api_keys')
    return page(state.keys.map((key) => ({ ...key, ...keyActions(state) })), query) // prettier-ignore
  },
  'POST /api/v1/api-keys': create('create_api_keys', addKey),
  'DELETE /api/v1/api-keys/{id}': ({ state, params }) => {
    const key = found(byId(state.keys, params.id))
    may(keyActions(state), 'revoke')
    state.keys = state.keys.filter((each) => each !== key)
    return { status: 204 }
  },
  'GET /api/v1/audit': ({ state, query }) => {
    const subject = query.get('subject')
    const wanted = state.audit.filter(
      (entry) => (!subject || entry.subject === subject) && (query.get('alert') !== 'true' || entry.alert),
    )
    return page(wanted, query)
  },
}
