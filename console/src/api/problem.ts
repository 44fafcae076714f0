/** Errors of requests: problem details (RFC 9457) from the server, or no answer at all. */

import type { Problem } from './nouns'

/** The server answered with an error. */
export class ProblemError extends Error {
  override name = 'ProblemError'

  constructor(readonly problem: Problem) {
    super(problem.detail ? `${problem.title}: ${problem.detail}` : problem.title)
  }

  get status(): number {
    return this.problem.status
  }
}

/** There was no answer, or a proxy answered instead of the server. */
export class Unreachable extends Error {
  override name = 'Unreachable'
}

export function hasStatus(error: unknown, ...statuses: number[]): boolean {
  return error instanceof ProblemError && statuses.includes(error.status)
}

/** Any error as a problem, so that all errors are shown in the same way. */
export function asProblem(error: unknown): Pick<Problem, 'title' | 'detail' | 'instance'> {
  if (error instanceof ProblemError) return error.problem
  if (error instanceof Unreachable) {
    return { title: 'The server cannot be reached', detail: 'This page reconnects automatically.' }
  }
  const detail = error instanceof Error ? error.message : String(error)
  return { title: 'Something went wrong in the console', detail }
}
