import { Page } from '../ui/page'

export function JobPage() {
  return <Page title="JobPage">soon</Page>
}
