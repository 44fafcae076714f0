import assert from 'node:assert/strict'
import { test } from 'node:test'

import { formatArgv, parseArgv } from './argv.ts'

test('words are split at spaces and held together by quotes', () => {
  assert.deepEqual(parseArgv(`/bin/echo 'a b' "c \\"d\\"" e\\ f ''`), {
    argv: ['/bin/echo', 'a b', 'c "d"', 'e f', ''],
  })
})

test('nothing is expanded, because there is no shell', () => {
  assert.deepEqual(parseArgv('/bin/echo $HOME *.txt ; ls'), { argv: ['/bin/echo', '$HOME', '*.txt', ';', 'ls'] })
})

test('an open quote and an empty line are errors', () => {
  assert.ok('error' in parseArgv("/bin/echo 'a"))
  assert.ok('error' in parseArgv('  '))
})

test('a formatted line parses to the same arguments', () => {
  const argv = ['/bin/sh', '-c', "it's; $x", '']
  assert.deepEqual(parseArgv(formatArgv(argv)), { argv })
})
