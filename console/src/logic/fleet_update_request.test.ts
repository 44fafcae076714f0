import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fleetUpdateRequest, share, type FleetUpdateForm } from './fleet_update_request.ts'

const FORM: FleetUpdateForm = {
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

function request(change: Partial<FleetUpdateForm>, selected: string[] = []) {
  return fleetUpdateRequest({ ...FORM, ...change }, selected)
}

test('a request for all hosts has neither ids nor a selector', () => {
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

test('a window may span midnight', () => {
  const made = request({ window: '22:00 - 04:00' })
  assert.ok('request' in made)
  assert.deepEqual(made.request.maintenance_window, { start: '22:00', end: '04:00' })
})

test('an invalid form is an error without a request to the server', () => {
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

test('sizes are whole numbers of hosts or whole percentages', () => {
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
