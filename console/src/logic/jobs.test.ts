import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import type { Job } from '../api/nouns'
import { jobTitle, printedOf } from './jobs.ts'

const SAMPLE = JSON.parse(
  readFileSync(new URL('../../../schemas/samples/job_view.json', import.meta.url), 'utf8'),
) as Job

function job(change: Partial<Job>): Job {
  return { ...SAMPLE, ...change }
}

test('a job has the title that the server gives it', () => {
  assert.equal(jobTitle(SAMPLE), '/usr/bin/env')
  assert.equal(jobTitle(job({ title: 'update the agent to 1.9.2' })), 'Update the agent to 1.9.2')
})

test('a job of a server without titles is named by its kind', () => {
  assert.equal(jobTitle(job({ kind: 'reset_breakers', title: undefined })), 'Reset breakers')
})

test('how much of its output the log of a job keeps is told', () => {
  const printed = (output_bytes: number, output_cut_bytes?: number) =>
    printedOf(job({ output_cut_bytes, result: { outcome: 'failed', finished_at: '', output_bytes } }))
  assert.equal(printed(0), null)
  assert.equal(printed(2048), '2 KiB')
  assert.equal(printed(3 * 1024 * 1024, 2 * 1024 * 1024), '3 MiB, of which the log keeps 1 MiB: 2 MiB are missing')
  assert.equal(printedOf(job({ output_cut_bytes: undefined, result: undefined })), null)
})
