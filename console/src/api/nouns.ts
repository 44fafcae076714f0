/** The nouns of the API by their short names. */

import type { Actions, Moment, Overview } from './additions'
import type { components } from './schema'

type Schemas = components['schemas']

export type Host = Schemas['HostView'] & Actions
export type Job = Schemas['JobView'] & Actions
export type Release = Schemas['ReleaseView'] & Actions
export type FleetUpdate = Schemas['FleetUpdateView'] & Actions
export type EnrollmentToken = Schemas['EnrollmentTokenView'] & Actions
export type User = Schemas['UserView'] & Actions
export type ApiKey = Schemas['ApiKeyView'] & Actions
export type Session = Schemas['SessionView'] & Actions

export type AuditEntry = Schemas['AuditEntry']
export type FleetUpdateHost = Schemas['FleetUpdateHostView']
export type FleetUpdatePlan = Schemas['FleetUpdatePlan']
export type FleetUpdateRequest = Schemas['FleetUpdateRequest']
export type JobRequest = Schemas['JobRequest']
export type JobState = Schemas['JobState']
export type Problem = Schemas['Problem']
export type Role = Schemas['Role']
export type Selector = Schemas['Selector']
export type Share = Schemas['Share']
export type Upstream = Schemas['Upstream']
export type { Actions, Moment, Overview }

export interface Page<T> {
  items: T[]
  next_cursor?: string | null
}
