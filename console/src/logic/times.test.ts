import assert from 'node:assert/strict'
import { test } from 'node:test'

import { exactSpan, freshFor, parseSpan, relative, span } from './times.ts'

const NOW = Date.parse('2026-03-02T12:00:00Z')

test('a duration is shown in its largest unit, rounded down', () => {
  assert.deepEqual([0, 59, 60, 3_599, 3_600, 47 * 3_600, 48 * 3_600].map(span), [
    '0 s', '59 s', '1 min', '59 min', '1 h', '47 h', '2 d',
  ]) // prettier-ignore
})

test('the past is “ago”, the future is “in”, and the present is “now”', () => {
  assert.equal(relative(NOW - 240_000, NOW), '4 min ago')
  assert.equal(relative(NOW + 7_200_000, NOW), 'in 2 h')
  assert.equal(relative(NOW + 1_000, NOW), 'now')
})

test('an exact duration has at most two units and no zero', () => {
  assert.deepEqual([42, 252, 300, 3_900, 90_000].map(exactSpan), [
    '42 s',
    '4 min 12 s',
    '5 min',
    '1 h 5 min',
    '1 d 1 h',
  ])
})

test('recent times are refreshed more often than old ones', () => {
  assert.ok(freshFor(NOW - 1_000, NOW) < freshFor(NOW - 120_000, NOW))
})

test('durations are parsed as on the command line', () => {
  assert.deepEqual(['90', '15m', '2h', '7d', ' 5 min '].map(parseSpan), [90, 900, 7_200, 604_800, 300])
  assert.deepEqual(['', 'soon', '1w', '-1h', '1.5h'].map(parseSpan), [null, null, null, null, null])
})
