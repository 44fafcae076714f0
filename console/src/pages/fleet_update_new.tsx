import { Page } from '../ui/page'

export function FleetUpdateNewPage() {
  return <Page title="FleetUpdateNewPage">soon</Page>
}
