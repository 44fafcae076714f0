import assert from 'node:assert/strict'
import { test } from 'node:test'

import { classesOf, parseLine, plain } from './ansi.ts'

const shown = (line: string) => parseLine(line, {}).runs.map((run) => [run.text, classesOf(run.style)])

test('colors and weights become classes', () => {
  assert.deepEqual(shown('a \x1b[1;31mred\x1b[0m b'), [
    ['a ', ''],
    ['red', 'ansi-bold ansi-1'],
    [' b', ''],
  ])
  assert.deepEqual(shown('\x1b[92;44mx'), [['x', 'ansi-10 ansi-on-4']])
})

test('a style continues in the next line until it is reset', () => {
  const { end } = parseLine('\x1b[33mwarning:', {})
  assert.equal(classesOf(end), 'ansi-3')
  assert.deepEqual(parseLine('more\x1b[39m', end).end.foreground, undefined)
})

test('colors beyond the first sixteen are ignored', () => {
  assert.deepEqual(shown('\x1b[38;5;9mnine \x1b[38;2;1;2;3;4mrgb'), [
    ['nine ', 'ansi-9'],
    ['rgb', 'ansi-underline ansi-9'],
  ])
})

test('sequences that move the cursor, set the title or ring the bell are removed', () => {
  assert.equal(plain('\x1b[2K\x1b[1Gdone\x1b]0;title\x07!\x07'), 'done!')
  assert.deepEqual(shown('\x1b[2Jx\x00y'), [['xy', '']])
})

test('output that looks like HTML stays text', () => {
  assert.deepEqual(shown('<img src=x onerror=alert(1)>'), [['<img src=x onerror=alert(1)>', '']])
})

test('an incomplete escape sequence at the end of a line is harmless', () => {
  assert.equal(plain('half \x1b['), 'half [')
  assert.equal(plain('half \x1b'), 'half ')
})
