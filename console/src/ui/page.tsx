/** The layout of a page: title, actions, cards and lists of facts. */

import { useEffect, type ReactNode } from 'react'

interface PageProps {
  title: string
  /** Shown beside the title, such as a badge. */
  beside?: ReactNode
  /** Shown above the title: a link to the parent page. */
  crumb?: ReactNode
  actions?: ReactNode
  children: ReactNode
}

export function Page({ title, beside, crumb, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Muster`
  }, [title])
  return (
    <main className="page" id="main" tabIndex={-1}>
      <header className="page-head">
        <div className="page-title">
          {crumb && <div className="crumb">{crumb}</div>}
          <h1>{title}</h1>
          {beside}
        </div>
        {actions && <div className="row">{actions}</div>}
      </header>
      {children}
    </main>
  )
}

export function Card({
  title,
  actions,
  plain = false,
  children,
}: {
  title: string
  actions?: ReactNode
  plain?: boolean
  children: ReactNode
}) {
  return (
    <section className="card" aria-label={title}>
      <header className="card-head">
        <h2>{title}</h2>
        {actions}
      </header>
      {plain ? children : <div className="card-body">{children}</div>}
    </section>
  )
}

/** Names with their values. Rows without a value are left out. */
export function Facts({ rows }: { rows: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {rows
        .filter(([, value]) => value !== null && value !== undefined && value !== '' && value !== false)
        .map(([name, value]) => (
          <Fact key={name} name={name} value={value} />
        ))}
    </dl>
  )
}

function Fact({ name, value }: { name: string; value: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  )
}
