/** The server goes away while somebody looks. */

import { outside } from './outside'
import { expect, test } from './people'

test('a server that goes away in mid-view is said to, and the page comes back by itself', async ({ page, as }) => {
  await as('operator')
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Hosts' }).click()
  await page.getByRole('link', { name: 'one', exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'one' })).toBeVisible()
  // The host may tell of the same outage in words like these, and does so for longer.
  const banner = page.getByText('The server cannot be reached. This page reconnects automatically')
  await outside('stop')
  await expect(banner).toBeVisible()
  await outside('start')
  await expect(banner).toBeHidden()
  await expect(page.getByRole('heading', { level: 1, name: 'one' })).toBeVisible()
  await expect(page.getByText('online', { exact: true }).first()).toBeVisible()
})
