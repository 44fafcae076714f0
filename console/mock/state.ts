/** What the mock knows: everything in memory, made anew for each visitor. */

import type {
  ApiKey,
  AuditEntry,
  EnrollmentToken,
  FleetUpdate,
  FleetUpdateHost,
  Host,
  Job,
  Moment,
  Release,
  Role,
  User,
} from '../src/api/nouns'

/** A record without what depends on who asks. */
export type Stored<T> = T extends unknown ? Omit<T, 'allowed' | 'why_not'> : never

export interface FleetUpdateRecord {
  view: Stored<FleetUpdate>
  hosts: FleetUpdateHost[]
  /** When hosts that are being updated began, by host, in milliseconds. */
  begun: Map<string, number>
}

export interface LogRecord {
  text: string
  /** What is still to come, a piece each half second. */
  coming: string[]
}

export interface State {
  role: Role
  username: string
  signedIn: boolean
  /** The API does not answer. */
  down: boolean
  hosts: Stored<Host>[]
  jobs: Stored<Job>[]
  logs: Map<string, LogRecord>
  releases: Stored<Release>[]
  fleetUpdates: FleetUpdateRecord[]
  tokens: Stored<EnrollmentToken>[]
  users: Stored<User>[]
  keys: Stored<ApiKey>[]
  audit: AuditEntry[]
  history: Moment[]
  /** When time was last let go on, in milliseconds. */
  movedAt: number
}

/** A record by its id. */
export function byId<T extends { id: string }>(records: readonly T[], id: string | undefined): T | undefined {
  return records.find((record) => record.id === id)
}
