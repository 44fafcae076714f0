/** What happens by itself: logs grow, fleet updates go on, hosts join. */

import { ago, id } from './chance.ts'
import { makeHosts } from './fleet.ts'
import { count, succeed } from './scenarios.ts'
import type { FleetUpdateRecord, State } from './state.ts'

const STEP = 500
const HOST_TAKES = 4_000
const MOST_STEPS = 20

/** Lets the time since the last look go by. */
export function move(state: State): void {
  const steps = Math.min(MOST_STEPS, Math.floor((Date.now() - state.movedAt) / STEP))
  if (steps === 0) return
  state.movedAt = Date.now()
  for (let step = 0; step < steps; step++) growLogs(state)
  for (const record of state.fleetUpdates) advance(state, record)
  join(state)
}

function growLogs(state: State): void {
  for (const job of state.jobs) {
    const log = state.logs.get(job.id)
    if (job.state !== 'running' || !log) continue
    log.text += log.coming.splice(0, 6).join('')
    job.log_bytes = Buffer.byteLength(log.text)
    job.revision += 1
    if (job.cancel_requested || log.coming.length === 0) {
      Object.assign(job, { state: job.cancel_requested ? 'cancelled' : 'succeeded', ended_at: ago(0) })
    }
  }
}

function advance(state: State, record: FleetUpdateRecord): void {
  const { view, hosts, begun } = record
  const before = JSON.stringify([view, hosts])
  for (const host of hosts) {
    const since = begun.get(host.host_id)
    if (since === undefined || Date.now() - since < HOST_TAKES) continue
    begun.delete(host.host_id)
    succeed(state, record, host.position)
  }
  if (view.state === 'running') offer(record)
  view.in_flight = hosts
    .filter((host) => ['offered', 'verifying', 'lost'].includes(host.state))
    .map((host) => host.host_id)
  count(record)
  if (JSON.stringify([view, hosts]) !== before) view.revision += 1
}

function offer({ view, hosts, begun }: FleetUpdateRecord): void {
  const open = hosts.find((host) => host.state === 'pending' || host.state === 'offered')
  if (!open) {
    if (begun.size === 0) Object.assign(view, { state: 'completed', waiting_on: undefined, ended_at: ago(0) })
    return
  }
  view.wave = open.wave
  for (const host of hosts.filter((each) => each.state === 'pending')) {
    const waits =
      host.wave > view.wave
        ? `wave ${host.wave + 1} opens after wave ${view.wave + 1} and ${view.soak_seconds} s of soak`
        : undefined
    const full =
      begun.size >= view.max_in_flight ? `a slot: ${begun.size} of ${view.max_in_flight} are taken` : undefined
    if (waits ?? full) host.waiting_on = waits ?? full
    else {
      begun.set(host.host_id, Date.now())
      Object.assign(host, {
        state: 'offered',
        waiting_on: 'the host to prove itself',
        job_id: id('job'),
        attempts: 1,
        offered_at: ago(0),
      })
    }
  }
}

/** A host comes with each token that is young: so one sees it appear. */
function join(state: State): void {
  for (const token of state.tokens) {
    const age = Date.now() - Date.parse(token.created_at)
    if (token.note === 'rack 7' || token.state !== 'open' || age < 3_000 || token.used > 0) continue
    const [host] = makeHosts(1)
    if (!host) continue
    token.used = 1
    state.hosts.unshift({
      ...host,
      id: id('host'),
      name: 'new-host',
      enrolled_at: ago(0),
      last_seen_at: ago(0),
      online: true,
      labels: token.labels,
      session: 1,
    })
  }
}
