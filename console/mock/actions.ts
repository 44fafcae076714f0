/** What may be done, and why not: the server's rules as far as the pages need them. */

import type { EnrollmentToken, FleetUpdate, Host, Job, Release, Role, Session, User } from '../src/api/nouns'
import { NEWEST } from './fleet.ts'
import type { State, Stored } from './state.ts'

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 }

/** What a resource tells of them; openapi.json is asked whether these are the words. */
interface Decided {
  allowed: string[]
  why_not: Record<string, string>
}

/** Each action with the reason it is refused for, or nothing. */
type Rules = Record<string, string | false | null | undefined>

function actions(rules: Rules): Decided {
  const entries = Object.entries(rules)
  const refused = entries.filter((entry): entry is [string, string] => Boolean(entry[1]))
  return {
    allowed: entries.filter(([, reason]) => !reason).map(([name]) => name),
    why_not: Object.fromEntries(refused),
  }
}

function needs(state: State, role: Role): string | null {
  return RANK[state.role] >= RANK[role] ? null : `This needs the role ${role}; you are ${state.role}.`
}

export function hostActions(state: State, host: Stored<Host>): Decided {
  const admin = needs(state, 'admin')
  const operator = needs(state, 'operator')
  const retired = host.state === 'retired' && 'The host is retired.'
  const quarantined = host.state === 'quarantined' && 'The host is quarantined: readmit it first.'
  return actions({
    run: operator ?? (retired || quarantined),
    update:
      admin ??
      (retired || quarantined || (!host.update_available && `The agent runs ${NEWEST}, the newest release, already.`)),
    change: operator ?? retired,
    readmit: admin ?? (host.state !== 'quarantined' && 'The host is not quarantined.'),
    reset_breakers: operator ?? (retired || quarantined),
    remove: admin ?? (retired || (host.open_jobs > 0 && 'The host has open jobs.')),
  })
}

export function jobActions(state: State, job: Stored<Job>): Decided {
  const over =
    !['queued', 'offered', 'accepted', 'running'].includes(job.state) &&
    `The job is ${job.state.replace('_', ' ')} already.`
  return actions({
    cancel: needs(state, 'operator') ?? (over || (job.cancel_requested && 'It is being stopped already.')),
    give_up: needs(state, 'operator') ?? (over || 'The host is online and will report how the job ends.'),
  })
}

export function releaseActions(state: State, release: Stored<Release>): Decided {
  return actions({ yank: needs(state, 'admin') ?? (release.state === 'yanked' && 'The release is yanked already.') })
}

export function fleetUpdateActions(state: State, { state: now, counts }: Stored<FleetUpdate>, lost: boolean): Decided {
  const admin = needs(state, 'admin')
  const over = (now === 'completed' || now === 'cancelled') && `The fleet update is ${now}.`
  return actions({
    pause: admin ?? (now !== 'running' && `The fleet update is ${now}, not running.`),
    resume:
      admin ?? (now !== 'paused' && now !== 'halted' && `The fleet update is ${now}: there is nothing to resume.`),
    cancel: admin ?? over,
    retry_failed: admin ?? (over || (counts.failed === 0 && 'No host has failed.')),
    write_off: admin ?? (over || (!lost && 'No host is lost.')),
  })
}

export function tokenActions(state: State, token: Stored<EnrollmentToken>): Decided {
  return actions({
    revoke:
      needs(state, 'admin') ?? (token.state !== 'open' && `The token is ${token.state.replace('_', ' ')} already.`),
  })
}

export function userActions(state: State, user: Stored<User>): Decided {
  const last = user.role === 'admin' && state.users.filter((each) => each.role === 'admin').length === 1
  return actions({
    change: needs(state, 'admin'),
    remove: needs(state, 'admin') ?? (last && 'The last admin cannot be removed.'),
  })
}

export function keyActions(state: State): Decided {
  return actions({ revoke: needs(state, 'admin') })
}

export function sessionOf(state: State): Omit<Session, keyof Decided> & Decided {
  const admin = needs(state, 'admin')
  const rules = actions({
    create_jobs: needs(state, 'operator'),
    create_fleet_updates: admin,
    publish_releases: admin,
    create_enrollment_tokens: admin,
    create_users: admin,
    create_api_keys: admin,
    look_at_audit: null,
    look_at_users: admin,
    look_at_api_keys: admin,
    look_at_enrollment_tokens: admin,
  })
  const expires_at = new Date(Date.now() + 12 * 3_600_000).toISOString()
  return { username: state.username, role: state.role, expires_at, csrf_token: 'mock', ...rules }
}
