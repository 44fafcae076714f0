/** Style files of pages come with the pages, and stay: what one of them calls its own may be nobody else's. */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const FOLDER = new URL('.', import.meta.url)

test('a class is laid out by one style file', () => {
  const owners = new Map<string, Set<string>>()
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.css'))) {
    const text = readFileSync(new URL(file, FOLDER), 'utf8')
    // What a rule is for: the class that its selector begins with, if it is not one of several that a thing has.
    for (const [, name = ''] of text.matchAll(/^ *\.([a-z][\w-]*)(?![\w.-])/gm)) {
      owners.set(name, (owners.get(name) ?? new Set()).add(file))
    }
  }
  const shared = [...owners].filter(([, files]) => files.size > 1).map(([name, files]) => [name, ...files].join(' '))
  assert.deepEqual(shared, [])
  assert.ok(owners.size > 100)
})
