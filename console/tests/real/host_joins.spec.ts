/** A host joins by the line that is shown. */

import { outside } from './outside'
import { expect, test } from './people'

test('a token is made, its line is shown once, and the host that it lets in appears while one looks', async ({
  page,
  as,
}) => {
  await as('admin')
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Enrollment' }).click()
  await page.getByRole('button', { name: 'Create token' }).click()
  await page.getByRole('dialog').getByLabel('Note').fill('the fifth')
  await page.getByRole('dialog').getByRole('button', { name: 'Create', exact: true }).click()
  const line = await page.getByText(/install\.sh; \} \| sudo sh/).innerText()
  await page.getByRole('button', { name: 'I have copied it' }).click()
  const id = await outside(`join ${line}`)
  const newest = page.getByRole('table', { name: 'Newest hosts' })
  await expect(newest.getByRole('row')).toHaveCount(6)
  await expect(newest.getByRole('link').first()).toHaveAttribute('href', `/hosts/${id}`)
  await page.reload()
  await expect(page.getByText('the fifth')).toBeVisible()
  await expect(page.getByText(/--token/)).toHaveCount(0)
})
