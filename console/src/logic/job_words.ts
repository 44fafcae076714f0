/** What a job does and how it stands, in a few words. */

import type { Job, RunSpec, SelfUpdateSpec } from '../api/nouns'
import { formatArgv } from './argv.ts'

const KINDS: Record<string, string> = {
  inspect: 'Report all facts',
  reset_breakers: 'Reset breakers',
}

/** What program it runs; nothing when it is of another kind. */
export function runSpec(job: Job): RunSpec | null {
  return job.kind === 'run' ? (job.spec as RunSpec) : null
}

/** What release it brings the agent to; nothing when it is of another kind. */
export function updateSpec(job: Job): SelfUpdateSpec | null {
  return job.kind === 'self_update' ? (job.spec as SelfUpdateSpec) : null
}

/** The program's command line, or what else it does. */
export function jobTitle(job: Job): string {
  const [run, update] = [runSpec(job), updateSpec(job)]
  if (run) return formatArgv(run.argv)
  if (update) return `Update agent to ${update.version}`
  return KINDS[job.kind] ?? job.kind
}

/** Why it waits, or how it ended; nothing when all went well. */
export function jobReason(job: Job): string | null {
  return job.result?.error?.message ?? job.waiting_on ?? null
}
