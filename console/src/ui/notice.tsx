/** Notices, and error messages with the request id to quote. */

import type { ReactNode } from 'react'

import { asProblem } from '../api/problem'

export function Notice({ tone, title, children }: { tone: string; title: string; children?: ReactNode }) {
  return (
    <div className={`notice ${tone}`}>
      <strong>{title}</strong>
      {children}
    </div>
  )
}

/** An error message: title, detail and request id. Renders nothing without an error. */
export function ProblemNotice({ error }: { error: unknown }) {
  if (!error) return null
  const { title, detail, instance } = asProblem(error)
  return (
    <div role="alert">
      <Notice tone="bad" title={title}>
        {detail && <p>{detail}</p>}
        {instance && (
          <p className="faint">
            Request <code>{instance}</code>
          </p>
        )}
      </Notice>
    </div>
  )
}
