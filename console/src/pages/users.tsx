import { Page } from '../ui/page'

export function UsersPage() {
  return <Page title="UsersPage">soon</Page>
}
