import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import type { Job } from '../api/nouns'
import { jobTitle } from './jobs.ts'

const SAMPLE = JSON.parse(
  readFileSync(new URL('../../../schemas/samples/job_view.json', import.meta.url), 'utf8'),
) as Job

function job(change: Partial<Pick<Job, 'kind' | 'title'>>): Job {
  return { ...SAMPLE, ...change } as Job
}

test('a job has the title that the server gives it', () => {
  assert.equal(jobTitle(SAMPLE), '/usr/bin/env')
  assert.equal(jobTitle(job({ title: 'update the agent to 1.9.2' })), 'Update the agent to 1.9.2')
})

test('a job of a server without titles is named by its kind', () => {
  assert.equal(jobTitle(job({ kind: 'reset_breakers', title: undefined })), 'Reset breakers')
})
