/** Pages that are not there or that have failed. */

import { Link, type ErrorComponentProps } from '@tanstack/react-router'

import { Empty } from '../ui/command'
import { ProblemNotice } from '../ui/notice'
import { Page } from '../ui/page'

export function Missing() {
  return (
    <Page title="Not found">
      <Empty title="There is no such page">
        <Link to="/" className="link">
          To the dashboard
        </Link>
      </Empty>
    </Page>
  )
}

export function Failed({ error }: ErrorComponentProps) {
  return (
    <Page title="This page cannot be shown">
      <ProblemNotice error={error} />
    </Page>
  )
}
