import { Page } from '../ui/page'

export function ReleasesPage() {
  return <Page title="ReleasesPage">soon</Page>
}
