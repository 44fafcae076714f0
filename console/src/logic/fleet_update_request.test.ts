import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fleetUpdateRequest, share, type TypedFleetUpdate } from './fleet_update_request.ts'

const TYPED: TypedFleetUpdate = {
  version: '1.9.2',
  which: 'all',
  labels: '',
  os: '',
  waves: '1, 10%, 50%',
  maxInFlight: '10%',
  maxFailures: '1',
  soak: '5m',
  hostTimeLimit: '20m',
  offline: 'skip',
  window: '',
  note: '',
}

function request(change: Partial<TypedFleetUpdate>, selected: string[] = []) {
  return fleetUpdateRequest({ ...TYPED, ...change }, selected)
}

test('all hosts are meant by neither ids nor a selector', () => {
  const made = request({})
  assert.ok('request' in made)
  assert.deepEqual(made.request.waves, [1, '10%', '50%'])
  assert.deepEqual([made.request.host_ids, made.request.selector], [undefined, undefined])
  assert.deepEqual([made.request.soak_seconds, made.request.host_time_limit_seconds], [300, 1_200])
})

test('labels become a selector, and selected hosts their ids', () => {
  const matching = request({ which: 'matching', labels: 'site=north', os: 'linux' })
  assert.ok('request' in matching)
  assert.deepEqual(matching.request.selector, { labels: { site: 'north' }, os: 'linux' })
  const selected = request({ which: 'selected' }, ['host_1'])
  assert.ok('request' in selected)
  assert.deepEqual(selected.request.host_ids, ['host_1'])
})

test('a window goes over midnight', () => {
  const made = request({ window: '22:00 - 04:00' })
  assert.ok('request' in made)
  assert.deepEqual(made.request.maintenance_window, { start: '22:00', end: '04:00' })
})

test('what cannot be meant is told before the server is asked', () => {
  const wrong = [
    { version: '' },
    { which: 'selected' as const },
    { waves: '1,half' },
    { maxFailures: '0' },
    { soak: 'soon' },
    { window: '25:00-01:00' },
  ]
  assert.ok(wrong.every((change) => 'error' in request(change)))
})

test('shares are whole numbers of hosts or of percent', () => {
  assert.deepEqual(['5', ' 10% ', '100%', '0', '101%', '1.5', ''].map(share), [
    5,
    '10%',
    '100%',
    null,
    null,
    null,
    null,
  ])
})
