/** Error pages: not found, and a page that has failed. */

import { Link, type ErrorComponentProps } from '@tanstack/react-router'

import { Empty } from '../ui/command'
import { ProblemNotice } from '../ui/notice'
import { Page } from '../ui/page'

export function Missing() {
  return (
    <Page title="Not found">
      <Empty title="This page does not exist">
        <Link to="/" className="link">
          Go to the dashboard
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
