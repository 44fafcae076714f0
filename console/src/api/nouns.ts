/** The nouns of the API by their short names. */

import type { components } from './schema'

type Schemas = components['schemas']

export type Host = Schemas['HostView']
export type Job = Schemas['JobView']
export type Release = Schemas['ReleaseView']
export type FleetUpdate = Schemas['FleetUpdateView']
export type EnrollmentToken = Schemas['EnrollmentTokenView']
export type User = Schemas['UserView']
export type ApiKey = Schemas['ApiKeyView']
export type Session = Schemas['SessionView']

export type AuditEntry = Schemas['AuditEntry']
export type FleetUpdateHost = Schemas['FleetUpdateHostView']
export type FleetUpdatePlan = Schemas['FleetUpdatePlan']
export type FleetUpdateRequest = Schemas['FleetUpdateRequest']
export type JobRequest = Schemas['JobRequest']
export type JobState = Schemas['JobState']
export type Problem = Schemas['Problem']
export type RunSpec = Schemas['RunSpec']
export type SelfUpdateSpec = Schemas['SelfUpdateSpec']
export type Role = Schemas['Role']
export type Selector = Schemas['Selector']
export type Share = Schemas['Share']
export type Upstream = Schemas['Upstream']
export type Overview = Schemas['Overview']
export type Moment = Schemas['FleetSample']

/** What may be done to a resource now, by this caller: every action is in exactly one of the two. */
export interface Actions {
  allowed: readonly string[]
  /** Why not, as a sentence for people, by action. */
  why_not: Readonly<Record<string, string | undefined>>
}

export interface Page<T> {
  items: T[]
  next_cursor?: string | null
}
