import { Page } from '../ui/page'

export function FleetUpdatesPage() {
  return <Page title="FleetUpdatesPage">soon</Page>
}
