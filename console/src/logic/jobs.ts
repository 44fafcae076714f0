/** The title of a job, and the reason for its state. */

import type { Job } from '../api/nouns'
import { formatArgv } from './argv.ts'

const KINDS: Record<string, string> = {
  inspect: 'Report all facts',
  reset_breakers: 'Reset breakers',
}

/** The program's command line, or what else it does. */
export function jobTitle(job: Job): string {
  if (job.kind === 'run') return formatArgv(job.spec.argv)
  if (job.kind === 'self_update') return `Update agent to ${job.spec.version}`
  return KINDS[job.kind] ?? job.kind
}

/** Why the job waits or how it failed; `null` if it succeeded. */
export function jobReason(job: Job): string | null {
  return job.result?.error?.message ?? job.waiting_on ?? null
}
