import { Page } from '../ui/page'

export function FleetUpdatePage() {
  return <Page title="FleetUpdatePage">soon</Page>
}
