import { Page } from '../ui/page'

export function EnrollmentPage() {
  return <Page title="EnrollmentPage">soon</Page>
}
