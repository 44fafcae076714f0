import assert from 'node:assert/strict'
import { test } from 'node:test'

import { rangeBetween, toggled } from './selection.ts'

const ROWS = ['a', 'b', 'c', 'd'].map((id) => ({ id }))

test('a row is selected and deselected', () => {
  const once = toggled(new Set(), 'a')
  assert.deepEqual([...once], ['a'])
  assert.deepEqual([...toggled(once, 'a')], [])
})

test('a range works in both directions and keeps the selection', () => {
  assert.deepEqual([...rangeBetween(ROWS, new Set(['a']), 3, 2)], ['a', 'c', 'd'])
  assert.deepEqual([...rangeBetween(ROWS, new Set(), 0, 1)], ['a', 'b'])
})
