import assert from 'node:assert/strict'
import { test } from 'node:test'

import { append, EMPTY_LOG, lineCount, overwritten, search, step, type Log } from './log.ts'

function logOf(...parts: string[]): Log {
  return parts.reduce((log, part) => append(log, part, log.next + part.length, false), EMPTY_LOG)
}

test('a line that came in two parts is one line', () => {
  const log = logOf('one\ntw', 'o\nthree')
  assert.deepEqual(
    log.lines.map((line) => line.text),
    ['one', 'two', 'three'],
  )
  assert.equal(log.next, 13)
})

test('an escape that was broken in two is still an escape', () => {
  assert.equal(logOf('\x1b[3', '1mred').lines[0]?.text, 'red')
})

test('lines know what colour they begin with', () => {
  assert.deepEqual(logOf('\x1b[31mred\n', 'still red').lines[1]?.begin, { foreground: 1 })
})

test('the empty line behind the last line break does not count', () => {
  assert.equal(lineCount(logOf('a\nb\n')), 2)
  assert.equal(lineCount(logOf('a\nb')), 2)
  assert.equal(lineCount(EMPTY_LOG), 0)
})

test('what a progress bar has written over does not show', () => {
  assert.equal(overwritten('10%\r50%\r100%'), '100%')
  assert.equal(overwritten('windows line\r'), 'windows line')
})

test('a search finds each place, whatever the case and the colours', () => {
  const { lines } = logOf('Error: \x1b[1merr\x1b[0mor\nfine\nERROR')
  assert.deepEqual(search(lines, 'error'), [
    { line: 0, start: 0, end: 5 },
    { line: 0, start: 7, end: 12 },
    { line: 2, start: 0, end: 5 },
  ])
  assert.deepEqual(search(lines, ''), [])
})

test('next and previous go around', () => {
  assert.deepEqual([step(2, 1, 3), step(0, -1, 3), step(0, 1, 0)], [0, 2, 0])
})

test('an answer without text only moves on', () => {
  const log = logOf('a')
  assert.deepEqual(append(log, '', 1, true), { ...log, complete: true })
})
