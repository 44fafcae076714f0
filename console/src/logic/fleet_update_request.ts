/** Turns the form of a new fleet update into a request. */

import type { FleetUpdateRequest, Share } from '../api/nouns'
import { parseLabels } from './labels.ts'
import { parseSpan } from './times.ts'

export interface FleetUpdateForm {
  version: string
  /** All hosts, hosts that match the labels and the system, or the selected hosts. */
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

/** The request, or what is wrong with the form. */
export function fleetUpdateRequest(
  typed: FleetUpdateForm,
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
  if (waves.some((wave) => wave === null)) return { error: 'Waves must be counts or percentages, such as 1, 10%, 50%.' }
  if (max_in_flight === null) return { error: 'Max in flight must be a count or a percentage, such as 5 or 10%.' }
  if (!Number.isInteger(max_failures) || max_failures < 1)
    return { error: 'Max failures must be a whole number of at least 1.' }
  if (soak_seconds === null || host_time_limit_seconds === null)
    return { error: 'The soak and the time limit must be durations such as 30s, 5m or 2h.' }
  const maintenance_window = windowOf(typed.window)
  if (maintenance_window === null) return { error: 'The maintenance window must be two times such as 22:00-04:00.' }
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
  { which, os }: FleetUpdateForm,
  labels: Record<string, string>,
  selected: string[],
): Partial<FleetUpdateRequest> {
  if (which === 'all') return {}
  if (which === 'selected') return { host_ids: selected }
  return { selector: { labels, ...(os && { os }) } }
}

/** Parses a count (`5`) or a percentage (`10%`); `null` if the text is neither. */
export function share(text: string): Share | null {
  const trimmed = text.trim()
  if (/^([1-9]\d?|100)%$/.test(trimmed)) return trimmed
  return /^[1-9]\d{0,5}$/.test(trimmed) ? Number(trimmed) : null
}

/** Parses a daily window; `undefined` if the text is empty, `null` if it is invalid. */
function windowOf(text: string): { start: string; end: string } | null | undefined {
  if (text.trim() === '') return undefined
  const found = /^([01]\d|2[0-3]):([0-5]\d)\s*[-–]\s*([01]\d|2[0-3]):([0-5]\d)$/.exec(text.trim())
  return found ? { start: `${found[1]}:${found[2]}`, end: `${found[3]}:${found[4]}` } : null
}
