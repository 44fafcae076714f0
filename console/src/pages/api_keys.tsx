import { Page } from '../ui/page'

export function ApiKeysPage() {
  return <Page title="ApiKeysPage">soon</Page>
}
