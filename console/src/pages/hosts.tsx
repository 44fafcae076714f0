import { Page } from '../ui/page'

export function HostsPage() {
  return <Page title="HostsPage">soon</Page>
}
