import assert from 'node:assert/strict'
import { test } from 'node:test'

import { append, EMPTY_LOG, lineCount } from '../logic/log.ts'

Object.assign(globalThis, { location: { origin: 'http://muster.test' } })
const { logAfter } = await import('./jobs.ts')

/** The log as the console reads it from an answer with this body. */
async function logOf(body: string, headers: Record<string, string>) {
  globalThis.fetch = () =>
    Promise.resolve(new Response(body, { headers: { 'content-type': 'text/plain', ...headers } }))
  return logAfter('job_1', 0, 0, new AbortController().signal)
}

test('an empty log is empty, however the answer says that it has no body', async () => {
  for (const headers of [{ 'content-length': '0' }, {}] as Record<string, string>[]) {
    const end = { 'muster-log-next': '0', 'muster-log-complete': 'true' }
    const part = await logOf('', { ...headers, ...end })
    assert.deepEqual(part, { text: '', next: 0, complete: true, gone: null })
    assert.equal(lineCount(append(EMPTY_LOG, part.text, part.next, part.complete)), 0)
  }
})

test('a log is read as text, also when it looks like something else', async () => {
  for (const text of ['undefined', 'null', '{"a":1}', '0']) {
    const part = await logOf(text, { 'content-length': String(text.length) })
    assert.deepEqual(part, { text, next: text.length, complete: false, gone: null })
  }
})

test('a log that is not kept any more says so, and is not taken for one without output', async () => {
  const part = await logOf('', { 'muster-log-next': '0', 'muster-log-complete': 'true', 'muster-log-gone': 'erased' })
  assert.equal(part.gone, 'erased')
})
