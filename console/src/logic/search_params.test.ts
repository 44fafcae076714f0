import assert from 'node:assert/strict'
import { test } from 'node:test'

import { oneOf, parseSearch, stringifySearch, text, texts } from './search_params.ts'

test('a version in the URL stays a string', () => {
  assert.deepEqual(parseSearch('?version=1.10&updates=behind'), { version: '1.10', updates: 'behind' })
})

test('a key that occurs twice is a list, in both directions', () => {
  const search = parseSearch('?label=site%3Dnorth&label=tier%3Dweb')
  assert.deepEqual(search, { label: ['site=north', 'tier=web'] })
  assert.equal(stringifySearch(search), '?label=site%3Dnorth&label=tier%3Dweb')
})

test('parameters that are not set are left out of the URL', () => {
  assert.equal(stringifySearch({ q: undefined, label: [] }), '')
})

test('invalid values are ignored', () => {
  assert.equal(oneOf('bogus', ['active', 'retired']), undefined)
  assert.equal(oneOf('active', ['active', 'retired']), 'active')
  assert.deepEqual([text(''), text(3), text('x')], [undefined, undefined, 'x'])
  assert.deepEqual([texts('a'), texts(['a', '', 2, 'b']), texts(undefined)], [['a'], ['a', 'b'], undefined])
})
