import { Page } from '../ui/page'

export function JobsPage() {
  return <Page title="JobsPage">soon</Page>
}
