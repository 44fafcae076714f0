import assert from 'node:assert/strict'
import { test } from 'node:test'

import { labelDifference, parseLabelChanges, parseLabels } from './labels.ts'

test('labels are set and removed as on the command line', () => {
  assert.deepEqual(parseLabelChanges('site=north, old- a.b/c=x=y'), {
    labels: { site: 'north', old: null, 'a.b/c': 'x=y' },
  })
})

test('text that is not a label is an error', () => {
  assert.deepEqual(parseLabelChanges('site'), { error: 'site is neither KEY=VALUE nor KEY-.' })
  assert.ok('error' in parseLabelChanges('  '))
  assert.deepEqual(parseLabels('=x'), { error: '=x is not KEY=VALUE.' })
})

test('no labels are valid where labels are optional', () => {
  assert.deepEqual(parseLabels(''), { labels: {} })
})

test('a label that is missing from the new set is removed', () => {
  assert.deepEqual(labelDifference({ a: '1', b: '2' }, { b: '3' }), { a: null, b: '3' })
})
