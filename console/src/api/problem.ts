/** What can go wrong with a request: the server says no (a problem), or it does not answer. */

import type { Problem } from './nouns'

/** The server answered with a problem (RFC 9457). */
export class ProblemError extends Error {
  override name = 'ProblemError'

  constructor(readonly problem: Problem) {
    super(problem.detail ? `${problem.title}: ${problem.detail}` : problem.title)
  }

  get status(): number {
    return this.problem.status
  }
}

/** No answer, or one that is not of the server but of something before it. */
export class Unreachable extends Error {
  override name = 'Unreachable'
}

export function hasStatus(error: unknown, ...statuses: number[]): boolean {
  return error instanceof ProblemError && statuses.includes(error.status)
}

/** Any failure as a problem, so that there is one way to show it. */
export function asProblem(error: unknown): Pick<Problem, 'title' | 'detail' | 'instance'> {
  if (error instanceof ProblemError) return error.problem
  if (error instanceof Unreachable) {
    return { title: 'The server cannot be reached', detail: 'This page comes back by itself as soon as it answers.' }
  }
  const detail = error instanceof Error ? error.message : String(error)
  return { title: 'The console has failed', detail }
}
