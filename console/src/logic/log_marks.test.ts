import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseLine } from './ansi.ts'
import { append, EMPTY_LOG, search } from './log.ts'
import { cutRuns } from './log_marks.ts'

function cut(raw: string, wanted: string): string[] {
  const { lines } = append(EMPTY_LOG, raw, raw.length, false)
  return cutRuns(parseLine(raw, {}).runs, search(lines, wanted)).map(({ run, mark }) =>
    mark ? `[${run.text}]` : run.text,
  )
}

test('a match is marked', () => {
  assert.deepEqual(cut('an error here', 'error'), ['an ', '[error]', ' here'])
})

test('a match across two colors is marked in both', () => {
  assert.deepEqual(cut('an er\x1b[31mror\x1b[0m here', 'error'), ['an ', '[er]', '[ror]', ' here'])
})

test('each of several matches in one run is marked', () => {
  assert.deepEqual(cut('aXbXc', 'x'), ['a', '[X]', 'b', '[X]', 'c'])
})

test('a line without a match stays unchanged', () => {
  assert.deepEqual(cut('plain', 'zzz'), ['plain'])
})
