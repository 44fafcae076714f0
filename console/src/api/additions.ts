/**
 * What the server gives beyond schemas/openapi.json. This file goes when openapi.json has it all:
 * then `Paths` is `paths`, and the nouns in nouns.ts are the schemas as they are.
 */

import type { components, paths } from './schema'

type Schemas = components['schemas']

/** What may be done to a resource now, by this caller: every action is in exactly one of the two. */
export interface Actions {
  allowed: string[]
  /** Why not, as a sentence for people, by action. */
  why_not: Record<string, string>
}

/** The fleet at one time. */
export interface Moment {
  at: string
  online: number
  offline: number
  behind: number
  versions: Record<string, number>
}

/** `GET /api/v1/overview`. */
export interface Overview {
  hosts: { total: number; online: number; offline: number; behind: number; quarantined: number }
  newest_release: string | null
  versions: Record<string, number>
  /** Those that are not over. */
  fleet_updates: (Schemas['FleetUpdateView'] & Actions)[]
  /** Newest first. */
  recent_failures: (Schemas['JobView'] & Actions)[]
  history: Moment[]
  as_of: string
}

interface Wait {
  /** How many seconds the answer may wait for a change from the ETag in `If-None-Match`. */
  wait?: number
}

interface OverviewPath {
  parameters: { query?: never; header?: never; path?: never; cookie?: never }
  get: {
    parameters: { query?: Wait; header?: never; path?: never; cookie?: never }
    requestBody?: never
    responses: {
      200: { headers: Record<string, unknown>; content: { 'application/json': Overview } }
      default: { headers: Record<string, unknown>; content: { 'application/problem+json': Schemas['Problem'] } }
    }
  }
  put?: never
  post?: never
  delete?: never
  options?: never
  head?: never
  patch?: never
  trace?: never
}

type HostPath = Omit<paths['/api/v1/hosts/{id}'], 'get'> & {
  get: Omit<paths['/api/v1/hosts/{id}']['get'], 'parameters'> & {
    parameters: { query?: Wait; header?: never; path: { id: string }; cookie?: never }
  }
}

interface Added {
  '/api/v1/overview': OverviewPath
  '/api/v1/hosts/{id}': HostPath
}

export type Paths = Omit<paths, keyof Added> & Added
