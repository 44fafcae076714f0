/** A fleet update as it is typed, made a request. */

import type { FleetUpdateRequest, Share } from '../api/nouns'
import { parseLabels } from './labels.ts'
import { parseSpan } from './times.ts'

export interface TypedFleetUpdate {
  version: string
  /** `all`, hosts with labels and of a system, or those that were selected. */
  which: 'all' | 'matching' | 'selected'
  labels: string
  os: string
  waves: string
  maxInFlight: string
  maxFailures: string
  soak: string
  hostTimeLimit: string
  offline: NonNullable<FleetUpdateRequest['offline_policy']>
  window: string
  note: string
}

/** The request, or what is wrong with what was typed. */
export function fleetUpdateRequest(
  typed: TypedFleetUpdate,
  selected: string[],
): { request: FleetUpdateRequest } | { error: string } {
  const waves = typed.waves.split(/[\s,]+/).filter(Boolean).map(share) // prettier-ignore
  const labels = parseLabels(typed.labels)
  const soak_seconds = parseSpan(typed.soak)
  const host_time_limit_seconds = parseSpan(typed.hostTimeLimit)
  const max_in_flight = share(typed.maxInFlight)
  const max_failures = Number(typed.maxFailures)
  if (!typed.version) return { error: 'Choose a release.' }
  if (typed.which === 'selected' && selected.length === 0) return { error: 'Select hosts in the list of hosts first.' }
  if ('error' in labels) return labels
  if (waves.some((wave) => wave === null)) return { error: 'Waves are numbers or shares, such as 1, 10%, 50%.' }
  if (max_in_flight === null) return { error: 'At once: a number or a share, such as 5 or 10%.' }
  if (!Number.isInteger(max_failures) || max_failures < 1) return { error: 'Failures are a whole number from 1.' }
  if (soak_seconds === null || host_time_limit_seconds === null) return { error: 'Spans are such as 30s, 5m or 2h.' }
  const maintenance_window = windowOf(typed.window)
  if (maintenance_window === null) return { error: 'The window is such as 22:00-04:00.' }
  return {
    request: {
      version: typed.version,
      ...hostsOf(typed, labels.labels, selected),
      waves: waves.filter((wave) => wave !== null),
      max_in_flight,
      max_failures,
      soak_seconds,
      host_time_limit_seconds,
      offline_policy: typed.offline,
      ...(maintenance_window && { maintenance_window }),
      note: typed.note,
    },
  }
}

function hostsOf(
  { which, os }: TypedFleetUpdate,
  labels: Record<string, string>,
  selected: string[],
): Partial<FleetUpdateRequest> {
  if (which === 'all') return {}
  if (which === 'selected') return { host_ids: selected }
  return { selector: { labels, ...(os && { os }) } }
}

/** `5` or `10%`; `null` for what is neither. */
export function share(text: string): Share | null {
  const trimmed = text.trim()
  if (/^([1-9]\d?|100)%$/.test(trimmed)) return trimmed
  return /^[1-9]\d{0,5}$/.test(trimmed) ? Number(trimmed) : null
}

/** A daily window; nothing for nothing, `null` for nonsense. */
function windowOf(text: string): { start: string; end: string } | null | undefined {
  if (text.trim() === '') return undefined
  const found = /^([01]\d|2[0-3]):([0-5]\d)\s*[-–]\s*([01]\d|2[0-3]):([0-5]\d)$/.exec(text.trim())
  return found ? { start: `${found[1]}:${found[2]}`, end: `${found[3]}:${found[4]}` } : null
}
