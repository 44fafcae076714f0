/** Hosts as a fleet has them, made after the golden sample. */

import type { Host, Upstream } from '../src/api/nouns'
import { ago, Chance, hex, id } from './chance.ts'
import { sample } from './contract.ts'
import type { Stored } from './state.ts'

export const NEWEST = '1.9.2'
const VERSIONS = ['1.9.2', '1.9.2', '1.9.2', '1.9.2', '1.9.2', '1.9.2', '1.8.4', '1.8.4', '1.8.4', '1.8.3', '1.7.0']
const ROLES = ['web', 'db', 'edge', 'cache', 'build', 'queue']
const SITES = ['north', 'south', 'lab', 'harbour']
const SYSTEMS = [
  { os: 'linux', os_version: 'Debian 13', kernel: '6.12.0' },
  { os: 'linux', os_version: 'Debian 13', kernel: '6.12.0' },
  { os: 'linux', os_version: 'Ubuntu 24.04', kernel: '6.8.0' },
  { os: 'linux', os_version: 'Alpine 3.22', kernel: '6.12.31' },
  { os: 'windows', os_version: 'Server 2025', kernel: '10.0.26100' },
]

const WELL: Upstream[] = [
  { name: 'api', breaker: 'closed', failures: 2, opened: 0 },
  { name: 'object_store', breaker: 'closed', failures: 0, opened: 0 },
]

/** So many hosts; most are well. */
export function makeHosts(count: number): Stored<Host>[] {
  const chance = new Chance(7)
  const golden = sample<Stored<Host>>('host_view')
  return Array.from({ length: count }, (_, at) => makeHost(golden, at, chance))
}

function makeHost(golden: Stored<Host>, at: number, chance: Chance): Stored<Host> {
  const role = chance.of(ROLES)
  const version = chance.of(VERSIONS)
  const online = chance.next() > 0.04
  const name = `${role}-${String(at + 1).padStart(3, '0')}`
  return {
    id: id('host', at + 1),
    state: 'active',
    name,
    labels: { site: chance.of(SITES), role },
    facts: {
      ...golden.facts,
      ...chance.of(SYSTEMS),
      hostname: `${name}.example.net`,
      architecture: chance.next() > 0.2 ? 'x86_64' : 'aarch64',
      ip_addresses: [`10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`],
      cpu_count: 2 ** (1 + chance.below(5)),
      memory_bytes: 2 ** (32 + chance.below(5)),
      booted_at: ago(86_400 * (1 + chance.below(90))),
    },
    agent: {
      version,
      executable_sha256: hex(chance, 64),
      process_id: golden.agent?.process_id ?? '',
      boot_id: hex(chance, 8),
      committed: true,
    },
    upstreams: WELL,
    online,
    last_seen_at: ago(online ? chance.below(40) : 3_600 + chance.below(900_000)),
    session: 1 + chance.below(30),
    open_jobs: chance.next() > 0.97 ? 1 : 0,
    update_available: version !== NEWEST,
    enrolled_at: ago(86_400 * (100 + chance.below(300))),
    revision: 1 + chance.below(40),
  }
}

/** A host that has had a bad week: for the page that must tell why. */
export function trouble(host: Stored<Host>): void {
  const golden = sample<Stored<Host>>('host_view')
  host.name = 'edge-gate'
  host.online = true
  host.last_seen_at = ago(8)
  host.update_available = true
  host.agent = { ...(host.agent ?? golden.agent), ...agentOfTrouble(host) } as Host['agent']
  host.upstreams = [
    {
      name: 'api', breaker: 'closed', failures: 7, opened: 1, spooled_bytes: 70_000,
      last_failure: { at: ago(1_500), kind: 'connection', reason: 'the server cannot be reached: connection refused' },
      last_outage: { began_at: ago(1_740), seconds: 252, failures: 7 },
    },
    {
      name: 'object_store', breaker: 'open', failures: 31, opened: 4,
      last_failure: { at: ago(40), kind: 'timed_out', reason: 'no answer within 30 seconds' },
    },
  ] // prettier-ignore
}

function agentOfTrouble(host: Stored<Host>) {
  const transaction = id('job')
  const reason = 'it never reached the server'
  return {
    version: '1.8.4',
    executable_sha256: host.agent?.executable_sha256 ?? '',
    last_update: { transaction, to: NEWEST, outcome: 'rolled_back', reason, tries: 3 },
  }
}

/** A host of which there are two. */
export function quarantine(host: Stored<Host>): void {
  host.state = 'quarantined'
  host.state_reason = 'two live copies of one identity have checked in'
}
