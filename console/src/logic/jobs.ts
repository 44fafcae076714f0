/** The title of a job, and the reason for its state. */

import type { Job, RunSpec, SelfUpdateSpec } from '../api/nouns'
import { bytes } from './sizes.ts'

/** The title that the server gives the job, starting with a capital letter. A server that is older than titles sends none. */
export function jobTitle({ title, kind }: Job): string {
  const text = title ?? kind.replaceAll('_', ' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** Why the job waits or how it failed; `null` if it succeeded. */
export function jobReason(job: Job): string | null {
  return job.result?.error?.message ?? job.waiting_on ?? null
}

/** How much the job has printed, and how much of it its log keeps; `null` if it has printed nothing. */
export function printedOf(job: Job): string | null {
  const { result, output_cut_bytes: cut = 0 } = job
  const printed = result?.output_bytes ?? 0
  if (cut > 0) {
    const all = Math.max(printed, cut)
    return `${bytes(all)}, of which the log keeps ${bytes(all - cut)}: ${bytes(cut)} are missing`
  }
  return printed > 0 ? bytes(printed) : null
}

/** The program that the job runs; `null` for a job of another kind. */
export function runSpec(job: Pick<Job, 'kind' | 'spec'>): RunSpec | null {
  return job.kind === 'run' ? (job.spec as RunSpec) : null
}

/** The release that the job brings the agent to; `null` for a job of another kind. */
export function updateSpec(job: Pick<Job, 'kind' | 'spec'>): SelfUpdateSpec | null {
  return job.kind === 'self_update' ? (job.spec as SelfUpdateSpec) : null
}
