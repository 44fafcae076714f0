/** Filters hosts in memory, so that typing never waits for the server. */

import type { Host } from '../api/nouns'
import { oneOf, text, texts, type RawSearch } from './search_params.ts'

export const STATES = ['active', 'quarantined', 'retired'] as const

/** The filter as the URL holds it, with the parameters of `GET /api/v1/hosts`. */
export interface HostFilter {
  /** Words to find in the name, the id, the hostname, the addresses or the labels. Every word must be found. */
  q?: string
  label?: string[]
  os?: string
  version?: string
  state?: (typeof STATES)[number]
  online?: 'true' | 'false'
  updates?: 'behind'
}

export function parseHostFilter(search: RawSearch): HostFilter {
  return {
    q: text(search.q),
    label: texts(search.label),
    os: text(search.os),
    version: text(search.version),
    state: oneOf(search.state, STATES),
    online: oneOf(search.online, ['true', 'false']),
    updates: oneOf(search.updates, ['behind']),
  }
}

export function isEmpty(filter: HostFilter): boolean {
  return Object.values(filter).every((value) => value === undefined)
}

/** The hosts that match the filter, in their order. */
export function filterHosts(hosts: readonly Host[], filter: HostFilter): Host[] {
  const words = filter.q?.toLowerCase().split(/\s+/).filter(Boolean) ?? []
  const labels = filter.label?.map(parseLabel) ?? []
  return hosts.filter(
    (host) =>
      (filter.state === undefined ? host.state !== 'retired' : host.state === filter.state) &&
      (filter.os === undefined || host.facts.os === filter.os) &&
      (filter.version === undefined || host.agent?.version === filter.version) &&
      (filter.online === undefined || host.online === (filter.online === 'true')) &&
      (filter.updates === undefined || host.update_available) &&
      labels.every(([key, value]) => (value === undefined ? key in host.labels : host.labels[key] === value)) &&
      (words.length === 0 || words.every((word) => haystack(host).includes(word))),
  )
}

/** Parses `key=value`, or a key alone. */
export function parseLabel(label: string): [string, string | undefined] {
  const at = label.indexOf('=')
  return at < 0 ? [label, undefined] : [label.slice(0, at), label.slice(at + 1)]
}

const haystacks = new WeakMap<Host, string>()

function haystack(host: Host): string {
  const known = haystacks.get(host)
  if (known !== undefined) return known
  const { facts } = host
  const labels = Object.entries(host.labels).map(([key, value]) => `${key}=${value}`)
  const made = [host.name, host.id, facts.hostname, ...(facts.ip_addresses ?? []), ...labels].join('\n').toLowerCase()
  haystacks.set(host, made)
  return made
}

/** The values that hosts can be filtered by, sorted. */
export interface Choices {
  os: string[]
  versions: string[]
  labels: string[]
}

export function choicesOf(hosts: readonly Host[]): Choices {
  const os = new Set<string>()
  const versions = new Set<string>()
  const labels = new Set<string>()
  for (const host of hosts) {
    // This builds the search text early, so that the first typed letter does not wait for it.
    haystack(host)
    if (host.facts.os) os.add(host.facts.os)
    if (host.agent) versions.add(host.agent.version)
    for (const [key, value] of Object.entries(host.labels)) labels.add(`${key}=${value}`)
  }
  return { os: [...os].sort(), versions: [...versions].sort(byVersion).reverse(), labels: [...labels].sort() }
}

const byNumber = new Intl.Collator('en', { numeric: true })

function byVersion(one: string, other: string): number {
  return byNumber.compare(one, other)
}

/**
 * The selector that a fleet update can use instead of a thousand ids: labels and the system. Whether hosts are behind does
 * not matter, because a fleet update skips hosts that are not. `null` if no selector expresses the filter.
 */
export function selectorOf(filter: HostFilter): Pick<HostFilter, 'label' | 'os'> | null {
  const { label, os } = filter
  const rest = { ...filter, label: undefined, os: undefined, updates: undefined }
  const isWhole = label?.every((each) => each.includes('=')) ?? true
  return isEmpty(rest) && isWhole ? { label, os } : null
}
