import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import type { Host } from '../api/nouns'
import { choicesOf, filterHosts, isEmpty, parseHostFilter, selectorOf } from './host_filter.ts'

const SAMPLE = JSON.parse(
  readFileSync(new URL('../../../schemas/samples/host_view.json', import.meta.url), 'utf8'),
) as Host

function host(change: Partial<Host>): Host {
  return { ...SAMPLE, state: 'active', ...change }
}

const web = host({ name: 'web-1', labels: { site: 'north', tier: 'web' }, online: true, update_available: true })
const db = host({ name: 'db-1', labels: { site: 'south' }, online: false, update_available: false })
const old = host({ name: 'old', labels: {}, state: 'retired' })
const HOSTS = [web, db, old]

const names = (search: Record<string, unknown>) => filterHosts(HOSTS, parseHostFilter(search)).map((each) => each.name)

test('retired hosts show only if the filter asks for them', () => {
  assert.deepEqual(names({}), ['web-1', 'db-1'])
  assert.deepEqual(names({ state: 'retired' }), ['old'])
})

test('every word of a search must be found', () => {
  assert.deepEqual(names({ q: 'NORTH web' }), ['web-1'])
  assert.deepEqual(names({ q: 'south tier' }), [])
})

test('labels match as a whole, or by their key alone', () => {
  assert.deepEqual(names({ label: ['site=north', 'tier=web'] }), ['web-1'])
  assert.deepEqual(names({ label: 'tier' }), ['web-1'])
  assert.deepEqual(names({ label: 'site=nor' }), [])
})

test('offline and behind are separate filters', () => {
  assert.deepEqual(names({ online: 'false' }), ['db-1'])
  assert.deepEqual(names({ updates: 'behind' }), ['web-1'])
})

test('ten thousand hosts are filtered in their order', () => {
  const many = Array.from({ length: 10_000 }, (_, at) => host({ name: `host-${at}`, id: `host_${at}` }))
  const found = filterHosts(many, { q: 'host-77', label: ['site=north'] })
  assert.equal(found.length, 111)
  assert.deepEqual([found[0]?.name, found[110]?.name], ['host-77', 'host-7799'])
})

test('choices are the values that hosts have, with the newest version first', () => {
  const versions = ['1.9.0', '1.10.0'].map((version) =>
    host({ agent: { executable_sha256: '', process_id: '', version } }),
  )
  assert.deepEqual(choicesOf(versions).versions, ['1.10.0', '1.9.0'])
  assert.deepEqual(choicesOf(HOSTS).labels, ['site=north', 'site=south', 'tier=web'])
})

test('a URL with invalid values filters nothing', () => {
  assert.ok(isEmpty(parseHostFilter({ state: 'asleep', online: 'perhaps', q: '' })))
})

test('a selector can express labels and a system, but no other filter', () => {
  const filter = { label: ['site=north'], os: 'linux', updates: 'behind' as const }
  assert.deepEqual(selectorOf(filter), { label: ['site=north'], os: 'linux' })
  assert.equal(selectorOf({ ...filter, q: 'web' }), null)
  assert.equal(selectorOf({ label: ['site'] }), null)
})
