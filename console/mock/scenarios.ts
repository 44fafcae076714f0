/** Fleets to look at: `busy` (10 000 hosts), `small`, `empty`, `halted`, `viewer`, `down`. */

import type { FleetUpdate, FleetUpdateHost, Host, Job, JobState, Moment, Release } from '../src/api/nouns'
import { ago, Chance, hex, id } from './chance.ts'
import { sample } from './contract.ts'
import { makeHosts, NEWEST, quarantine, trouble } from './fleet.ts'
import { LIVE_LOG, LOGS } from './output.ts'
import type { FleetUpdateRecord, LogRecord, State, Stored } from './state.ts'

export const SCENARIOS = ['busy', 'small', 'empty', 'halted', 'viewer', 'down'] as const
export type Scenario = (typeof SCENARIOS)[number]

const USER = 'usr_01KJQ6PSG0DRSNYJN0TRKP6Y1Z'

export function makeState(scenario: Scenario, signedIn: boolean): State {
  const state = emptyState(scenario, signedIn)
  if (scenario === 'empty') return state
  state.hosts = makeHosts(scenario === 'busy' || scenario === 'viewer' ? 10_000 : 40)
  const [first, second] = state.hosts
  if (first && second) {
    trouble(first)
    quarantine(second)
  }
  addReleases(state)
  addJobs(state)
  addFleetUpdates(state, scenario === 'halted')
  addAccess(state)
  state.history = historyOf(state)
  return state
}

function emptyState(scenario: Scenario, signedIn: boolean): State {
  const viewer = scenario === 'viewer'
  return {
    role: viewer ? 'viewer' : 'admin',
    username: viewer ? 'vera' : 'anna',
    signedIn,
    down: scenario === 'down',
    hosts: [],
    jobs: [],
    logs: new Map<string, LogRecord>(),
    releases: [],
    fleetUpdates: [],
    tokens: [],
    users: [{ id: USER, username: 'anna', role: 'admin', created_at: ago(86_400 * 300), revision: 1 }],
    keys: [],
    audit: [],
    history: [],
    movedAt: Date.now(),
  }
}

function addReleases(state: State): void {
  const chance = new Chance(3)
  const golden = sample<Stored<Release>>('release_view')
  const release = (version: string, days: number, change: Partial<Stored<Release>>): Stored<Release> => ({
    ...golden,
    version,
    state: 'published',
    waiting_on: undefined,
    yanked_reason: undefined,
    manifest_sha256: hex(chance, 64),
    signed_by: [hex(chance, 16), hex(chance, 16)],
    manifest: {
      ...golden.manifest,
      version,
      manifest_version: Math.floor(900 - days),
      issued_at: ago(86_400 * days + 3_600),
      revoked: [],
      targets: ['x86_64', 'aarch64'].flatMap((arch) =>
        ['linux', 'windows'].map((os) => ({
          os,
          arch,
          size: 9_000_000 + chance.below(900_000),
          sha256: hex(chance, 64),
        })),
      ),
    },
    uploaded: ['linux-x86_64', 'linux-aarch64', 'windows-x86_64', 'windows-aarch64'],
    created_at: ago(86_400 * days),
    ...change,
  })
  state.releases = [
    release('1.10.0', 0.1, {
      state: 'draft',
      uploaded: ['linux-x86_64'],
      waiting_on: 'the files of linux-aarch64, windows-x86_64, windows-aarch64',
    }),
    release(NEWEST, 6, {}),
    release('1.9.1', 9, { state: 'yanked', yanked_reason: 'it forgets its spool when the disk is full' }),
    release('1.8.4', 40, {}),
    release('1.8.3', 61, {}),
    release('1.7.0', 120, {}),
  ]
}

type Work = [JobState, string[], waiting?: string]

const IDLE: Work = ['succeeded', ['/usr/bin/true']]

const WORK: Work[] = [
  ['running', ['/usr/local/bin/migrate', '--all', '--verbose']],
  ['queued', ['/usr/bin/systemctl', 'restart', 'nginx'], 'the host to come online; it was last seen 2 h ago'],
  ['succeeded', ['/usr/bin/uptime']],
  ['failed', ['/usr/bin/apt-get', 'upgrade', '--yes']],
  ['succeeded', ['/usr/bin/df', '-h']],
  ['cancelled', ['/usr/bin/sleep', '3600']],
  ['succeeded', ['/usr/bin/journalctl', '--unit', 'nginx', '--lines', '200']],
  ['rejected', ['/bin/sh', '-c', 'curl example.net | sh']],
  ['expired', ['/usr/bin/systemctl', 'reload', 'haproxy']],
  ['interrupted', ['/usr/local/bin/backup', 'now']],
]

function addJobs(state: State): void {
  const chance = new Chance(11)
  for (let at = 0; at < 240; at++) {
    const [kind, argv, waiting] = WORK[at < WORK.length ? at : 2 + chance.below(WORK.length - 2)] ?? IDLE
    const host = at < 4 ? state.hosts[0] : chance.of(state.hosts)
    if (host) state.jobs.push(makeJob(host, kind, argv, waiting, 60 + at * 400))
  }
  for (const job of state.jobs) {
    const log =
      job.state === 'running'
        ? { text: LOGS.start, coming: [...LIVE_LOG] }
        : { text: LOGS[job.state === 'failed' ? 'failed' : 'done'], coming: [] }
    if (job.started_at) state.logs.set(job.id, log)
    job.log_bytes = job.started_at ? Buffer.byteLength(log.text) : 0
  }
}

const NEVER_STARTED: JobState[] = ['queued', 'rejected', 'expired']
const OPEN: JobState[] = ['queued', 'running']

export function makeJob(
  host: Stored<Host>,
  state: JobState,
  argv: string[],
  waiting: string | undefined,
  seconds: number,
): Stored<Job> {
  const golden = sample<Stored<Job>>('job_view')
  const started = NEVER_STARTED.includes(state) ? undefined : ago(seconds - 3)
  const ended = OPEN.includes(state) ? undefined : ago(seconds - 14)
  return {
    ...golden,
    kind: 'run',
    spec: { argv },
    id: id('job'),
    host_id: host.id,
    state,
    waiting_on: waiting,
    created_by: `user:${USER}`,
    created_by_name: 'ada',
    fleet_update_id: undefined,
    created_at: ago(seconds),
    start_by: ago(seconds - 1_800),
    offered_at: state === 'queued' ? undefined : ago(seconds - 1),
    accepted_at: state === 'queued' ? undefined : ago(seconds - 2),
    started_at: started,
    ended_at: ended,
    log_bytes: 0,
    result: ended ? resultOf(state, ended, started) : undefined,
  }
}

function resultOf(state: JobState, finished_at: string, started_at: string | undefined): Job['result'] {
  const failed = state !== 'succeeded'
  const message = state === 'rejected' ? 'the policy of the host allows no such program' : 'the program ended with 100'
  if (state === 'expired') return undefined
  return {
    outcome: state as 'failed',
    exit_code: state === 'failed' ? 100 : failed ? undefined : 0,
    error: failed ? { code: state === 'rejected' ? 'policy' : 'exit_code', message } : undefined,
    started_at,
    finished_at,
    output_bytes: 2_048,
    output_truncated: false,
  }
}

function addFleetUpdates(state: State, halted: boolean): void {
  const done = makeFleetUpdate(state, state.hosts.slice(20, 30), [1, 9], '1.8.4', 86_400 * 39)
  for (const host of done.hosts)
    Object.assign(host, { state: 'succeeded', waiting_on: undefined, ended_at: ago(86_400 * 39) })
  Object.assign(done.view, {
    state: 'completed',
    in_flight: [],
    waiting_on: undefined,
    ended_at: ago(86_400 * 39 - 3_000),
  })
  const current = makeFleetUpdate(
    state,
    state.hosts.filter((host) => host.update_available).slice(1, 25),
    [1, 5, 18],
    NEWEST,
    900,
  )
  succeed(state, current, 0)
  if (halted) halt(state, current)
  else [1, 2, 3].forEach((at) => { succeed(state, current, at) }) // prettier-ignore
  state.fleetUpdates = [current, done]
  for (const record of state.fleetUpdates) count(record)
}

/** Leaves a host of it behind itself. */
export function succeed(state: State, { hosts, view }: FleetUpdateRecord, at: number): void {
  const host = hosts[at]
  const found = state.hosts.find((each) => each.id === host?.host_id)
  if (!host || !found) return
  Object.assign(host, {
    state: 'succeeded',
    waiting_on: undefined,
    reason: undefined,
    attempts: 1,
    ended_at: ago(0),
    job_id: host.job_id ?? id('job'),
  })
  if (found.agent) found.agent = { ...found.agent, version: view.version }
  found.update_available = view.version !== NEWEST
}

function halt(state: State, record: FleetUpdateRecord): void {
  const host = record.hosts[1]
  const found = state.hosts.find((each) => each.id === host?.host_id)
  if (!host || !found) return
  const job = makeJob(found, 'failed', [], undefined, 300)
  const message = 'rolled_back: it never reached the server'
  Object.assign(job, {
    kind: 'self_update',
    spec: { version: NEWEST, manifest_sha256: record.view.manifest_sha256 },
    fleet_update_id: record.view.id,
  })
  if (job.result)
    Object.assign(job.result, {
      exit_code: undefined,
      error: { code: 'rolled_back', message: 'it never reached the server' },
    })
  state.jobs.unshift(job)
  state.logs.set(job.id, { text: LOGS.rolledBack, coming: [] })
  job.log_bytes = Buffer.byteLength(LOGS.rolledBack)
  Object.assign(host, {
    state: 'failed',
    waiting_on: undefined,
    reason: message,
    job_id: job.id,
    attempts: 1,
    ended_at: ago(200),
  })
  const lost = record.hosts[2]
  if (lost)
    Object.assign(lost, {
      state: 'lost',
      waiting_on: 'to be heard of; last seen 6 min ago',
      job_id: id('job'),
      attempts: 1,
      offered_at: ago(360),
    })
  const reason = 'failure limit reached (1 of 1)'
  Object.assign(record.view, {
    state: 'halted',
    wave: 1,
    failures: 1,
    halted_reason: reason,
    waiting_on: `an operator to resume or cancel it: ${reason}`,
  })
  record.view.in_flight = lost ? [lost.host_id] : []
}

export function makeFleetUpdate(
  state: State,
  hosts: Stored<Host>[],
  waves: number[],
  version: string,
  seconds: number,
): FleetUpdateRecord {
  const golden = sample<Stored<FleetUpdate>>('fleet_update_view')
  const view: Stored<FleetUpdate> = {
    ...golden,
    id: id('fup'),
    version,
    manifest_sha256:
      state.releases.find((release) => release.version === version)?.manifest_sha256 ?? golden.manifest_sha256,
    state: 'running',
    waiting_on: 'hosts to prove themselves',
    halted_reason: undefined,
    wave: 1,
    waves,
    max_in_flight: 3,
    max_failures: 1,
    failures: 0,
    soak_seconds: 5,
    in_flight: [],
    note: 'security release',
    created_by: `user:${USER}`,
    created_by_name: 'ada',
    created_at: ago(seconds),
    ended_at: undefined,
  }
  const starts = waves.map((_, at) => waves.slice(0, at).reduce((sum, size) => sum + size, 0))
  const waveOf = (position: number) => starts.filter((start) => start <= position).length - 1
  const wanted = hosts.map((host, position): FleetUpdateHost => ({
    host_id: host.id,
    position,
    wave: waveOf(position),
    state: 'pending',
    attempts: 0,
    waiting_on: `wave ${waveOf(position) + 1} to open`,
  }))
  return { view, hosts: wanted, begun: new Map() }
}

/** Counts anew what its hosts are. */
export function count({ view, hosts }: FleetUpdateRecord): void {
  const of = (...states: string[]) => hosts.filter((host) => states.includes(host.state)).length
  view.counts = {
    total: hosts.length,
    pending: of('pending'),
    in_flight: of('offered', 'verifying', 'lost'),
    succeeded: of('succeeded'),
    failed: of('failed'),
    skipped: of('skipped'),
    cancelled: of('cancelled'),
  }
}

function addAccess(state: State): void {
  state.users.push({ id: id('usr'), username: 'otto', role: 'operator', created_at: ago(86_400 * 90), revision: 2 })
  state.users.push({ id: id('usr'), username: 'vera', role: 'viewer', created_at: ago(86_400 * 20), revision: 1 })
  state.keys.push({
    id: id('key'),
    name: 'ci',
    role: 'operator',
    created_at: ago(86_400 * 30),
    expires_at: ago(-86_400 * 60),
    last_used_at: ago(300),
  })
  state.keys.push({
    id: id('key'),
    name: 'grafana',
    role: 'viewer',
    created_at: ago(86_400 * 30),
    expires_at: ago(-86_400 * 300),
  })
  state.tokens.push({
    id: id('tok'),
    state: 'open',
    seats: 20,
    used: 7,
    labels: { site: 'north' },
    note: 'rack 7',
    created_at: ago(1_200),
    expires_at: ago(-2_400),
  })
  state.tokens.push({
    id: id('tok'),
    state: 'used_up',
    seats: 1,
    used: 1,
    labels: {},
    note: '',
    created_at: ago(90_000),
    expires_at: ago(86_400),
  })
  state.audit = state.jobs.slice(0, 140).map((job) => ({
    id: id('aud'), at: job.created_at, actor: job.created_by, actor_name: job.created_by_name ?? '', action: 'job.created', subject: job.id, detail: job.kind, request_id: id('req'),
  })) // prettier-ignore
  const host = state.hosts[1]
  if (host)
    state.audit.unshift({
      id: id('aud'),
      at: ago(45),
      actor: host.id,
      action: 'host.quarantined',
      subject: host.id,
      detail: 'two live copies',
      alert: true,
      request_id: id('req'),
    })
  const first = state.hosts[0]
  if (first)
    state.audit.unshift({
      id: id('aud'),
      at: ago(30),
      actor: `user:${USER}`,
      actor_name: 'ada',
      action: 'host.described',
      subject: first.id,
      detail: 'label role: "core" -> "edge"',
      address: '203.0.113.7',
      request_id: id('req'),
    })
}

const STEPS = [0.55, 0.5, 0.3, 0.1]

function historyOf(state: State): Moment[] {
  const total = state.hosts.length
  const behind = state.hosts.filter((host) => host.update_available).length
  const offline = state.hosts.filter((host) => !host.online).length
  return Array.from({ length: 96 }, (_, at): Moment => {
    const age = 95 - at
    const dip = age > 30 && age < 36 ? total * 0.07 : 0
    const away = Math.round(offline * (1 + (age > 0 ? 0.25 * Math.sin(at / 5) : 0)) + dip)
    // Waves of an earlier fleet update have brought them down in steps.
    const old = Math.round(behind + (total - behind) * (STEPS[Math.floor(at / 20)] ?? 0))
    return {
      at: ago(age * 900),
      online: total - away,
      offline: away,
      behind: old,
      versions: { [NEWEST]: total - old, '1.8.4': old },
    }
  })
}
