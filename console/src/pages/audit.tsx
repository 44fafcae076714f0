import { Page } from '../ui/page'

export function AuditPage() {
  return <Page title="AuditPage">soon</Page>
}
