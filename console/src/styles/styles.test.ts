/** Checks the style sheets: pages load them and never unload them, so each class must belong to one of them. */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const FOLDER = new URL('.', import.meta.url)

test('a class is defined in one style sheet only', () => {
  const owners = new Map<string, Set<string>>()
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.css'))) {
    const text = readFileSync(new URL(file, FOLDER), 'utf8')
    // The owner of a rule is the class that its selector starts with, unless the selector combines several classes.
    for (const [, name = ''] of text.matchAll(/^ *\.([a-z][\w-]*)(?![\w.-])/gm)) {
      owners.set(name, (owners.get(name) ?? new Set()).add(file))
    }
  }
  const shared = [...owners].filter(([, files]) => files.size > 1).map(([name, files]) => [name, ...files].join(' '))
  assert.deepEqual(shared, [])
  assert.ok(owners.size > 100)
})
