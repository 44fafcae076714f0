/** The title of a job, and the reason for its state. */

import type { Job, RunSpec, SelfUpdateSpec } from '../api/nouns'

/** The title that the server gives the job, starting with a capital letter. A server that is older than titles sends none. */
export function jobTitle({ title, kind }: Job): string {
  const text = title ?? kind.replaceAll('_', ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** Why the job waits or how it failed; `null` if it succeeded. */
export function jobReason(job: Job): string | null {
  return job.result?.error?.message ?? job.waiting_on ?? null
}

/** The program that the job runs; `null` for a job of another kind. */
export function runSpec(job: Job): RunSpec | null {
  return job.kind === 'run' ? (job.spec as RunSpec) : null
}

/** The release that the job brings the agent to; `null` for a job of another kind. */
export function updateSpec(job: Job): SelfUpdateSpec | null {
  return job.kind === 'self_update' ? (job.spec as SelfUpdateSpec) : null
}
