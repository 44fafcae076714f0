import assert from 'node:assert/strict'
import { test } from 'node:test'

import { append, EMPTY_LOG, lineCount, overwritten, search, step, type Log } from './log.ts'

function logOf(...parts: string[]): Log {
  return parts.reduce((log, part) => append(log, part, log.next + part.length, false), EMPTY_LOG)
}

test('a line that arrives in two parts is one line', () => {
  const log = logOf('one\ntw', 'o\nthree')
  assert.deepEqual(
    log.lines.map((line) => line.text),
    ['one', 'two', 'three'],
  )
  assert.equal(log.next, 13)
})

test('an escape sequence that arrives in two parts still works', () => {
  assert.equal(logOf('\x1b[3', '1mred').lines[0]?.text, 'red')
})

test('each line knows the color in which it starts', () => {
  assert.deepEqual(logOf('\x1b[31mred\n', 'still red').lines[1]?.begin, { foreground: 1 })
})

test('the empty line after the last line break does not count', () => {
  assert.equal(lineCount(logOf('a\nb\n')), 2)
  assert.equal(lineCount(logOf('a\nb')), 2)
  assert.equal(lineCount(EMPTY_LOG), 0)
})

test('text that a progress bar has overwritten is hidden', () => {
  assert.equal(overwritten('10%\r50%\r100%'), '100%')
  assert.equal(overwritten('windows line\r'), 'windows line')
})

test('a search ignores case and colors', () => {
  const { lines } = logOf('Error: \x1b[1merr\x1b[0mor\nfine\nERROR')
  assert.deepEqual(search(lines, 'error'), [
    { line: 0, start: 0, end: 5 },
    { line: 0, start: 7, end: 12 },
    { line: 2, start: 0, end: 5 },
  ])
  assert.deepEqual(search(lines, ''), [])
})

test('next and previous wrap around', () => {
  assert.deepEqual([step(2, 1, 3), step(0, -1, 3), step(0, 1, 0)], [0, 2, 0])
})

test('an answer without text only advances the position', () => {
  const log = logOf('a')
  assert.deepEqual(append(log, '', 1, true), { ...log, complete: true })
})
