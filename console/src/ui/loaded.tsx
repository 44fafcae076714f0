/** A query's data, its error, or a skeleton of the same size while it loads. */

import type { ReactNode } from 'react'

import { ProblemNotice } from './notice'

interface Query<T> {
  data: T | undefined
  error: Error | null
}

export function Loaded<T>({
  query,
  rows = 6,
  children,
}: {
  query: Query<T>
  rows?: number
  children: (data: T) => ReactNode
}) {
  if (query.data === undefined) return query.error ? <ProblemNotice error={query.error} /> : <Skeletons rows={rows} />
  return (
    <>
      <ProblemNotice error={query.error} />
      {children(query.data)}
    </>
  )
}

export function Skeletons({ rows }: { rows: number }) {
  return (
    <div className="skeletons" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <span className="skeleton" key={row} style={{ width: `${90 - ((row * 17) % 40)}%` }} />
      ))}
    </div>
  )
}
