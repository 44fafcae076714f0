/** Four real hosts: one update is planned, confirmed and watched to its end, another is halted by a bad release. */

import type { Page } from '@playwright/test'

import { outside } from './outside'
import { expect, test } from './people'

test('a fleet update of four hosts is planned, confirmed by their number, and watched to its end', async ({
  page,
  as,
}) => {
  await as('admin')
  await page
    .getByRole('link', { name: /behind/i })
    .first()
    .click()
  await expect(page).toHaveURL(/updates=behind/)
  for (const name of ['one', 'two', 'three', 'four'])
    await expect(page.getByRole('link', { name, exact: true })).toBeVisible()
  await plan(page, '1.1.0')
  await expect(page.getByRole('list', { name: 'Waves' }).getByRole('listitem').first()).toContainText('Canary')
  const start = page.getByRole('button', { name: 'Start the fleet update' })
  await page.getByLabel('Type 4 to update 4 hosts to 1.1.0').fill('3')
  await expect(start).toHaveAttribute('aria-disabled', 'true')
  await page.getByLabel('Type 4 to update 4 hosts to 1.1.0').fill('4')
  await start.click()
  await expect(page.getByRole('heading', { name: '1.1.0 to 4 hosts' })).toBeVisible()
  await expect(state(page, 'succeeded')).toHaveCount(4, { timeout: 90_000 })
  await expect(page.getByRole('button', { name: 'Pause' })).toHaveAttribute('aria-disabled', 'true')
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Hosts' }).click()
  await expect(page.getByText('1.1.0').nth(3)).toBeVisible()
})

test('a bad release halts at the canary, its reason and the log of what failed are on the page, and it is yanked', async ({
  page,
  as,
}) => {
  await outside('publish 1.2.0')
  await as('admin')
  await plan(page, '1.2.0')
  await page.getByLabel('Type 4 to update 4 hosts to 1.2.0').fill('4')
  await page.getByRole('button', { name: 'Start the fleet update' }).click()
  await expect(page.getByText(/Halted: .*not answered by the server in time/)).toBeVisible({ timeout: 90_000 })
  await expect(state(page, 'failed')).toHaveCount(1)
  await expect(state(page, 'pending')).toHaveCount(3)
  await expect(page.getByRole('button', { name: 'Retry failed…' })).not.toHaveAttribute('aria-disabled', 'true')
  await expect(page.getByRole('link', { name: 'Download' })).toBeVisible()
  await page.getByRole('button', { name: 'Cancel…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('textbox').fill('a bad release')
  await dialog.getByRole('button', { name: 'Cancel the fleet update' }).click()
  await expect(dialog).toBeHidden()
  await expect(page.getByRole('button', { name: 'Cancel…' })).toHaveAttribute('aria-disabled', 'true')
  // Nobody shall get it any more, a new host neither.
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Releases' }).click()
  await page
    .getByRole('row', { name: /^1\.2\.0 / })
    .getByRole('button', { name: 'Yank…' })
    .click()
  await dialog.getByRole('textbox').fill('it hangs')
  await dialog.getByRole('button', { name: 'Yank' }).click()
  await expect(dialog).toBeHidden()
  await page.getByRole('link', { name: '1.2.0' }).click()
  await expect(page.getByText('This release was yanked')).toBeVisible()
})

async function plan(page: Page, version: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Fleet updates' }).click()
  await page.getByRole('button', { name: 'New fleet update' }).click()
  await page.getByRole('combobox', { name: 'Release' }).selectOption(version)
  await page.getByLabel('Soak').fill('0s')
  await page.getByRole('button', { name: 'Show the plan' }).click()
  await expect(page.getByRole('heading', { name: `Plan: ${version} to 4 hosts` })).toBeVisible()
}

function state(page: Page, name: string) {
  return page.getByRole('table', { name: 'Hosts of the fleet update' }).getByRole('cell', { name, exact: true })
}
