import { Page } from '../ui/page'

export function ReleasePage() {
  return <Page title="ReleasePage">soon</Page>
}
