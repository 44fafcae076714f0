/** Work on a real host: its output as it comes, and a job that is stopped. */

import type { Page } from '@playwright/test'

import { expect, test } from './people'

test('what a job prints appears while it runs, as text, and can be searched', async ({ page, as }) => {
  await as('operator')
  await run(page, `echo '<b>first</b>'; sleep 3; printf '\\033[31mred\\033[0m second\\n'`)
  const log = page.getByRole('log', { name: 'Log' })
  await expect(log).toContainText('<b>first</b>')
  await expect(log).not.toContainText('second')
  await expect(log).toContainText('red second')
  await expect(page.getByText('succeeded', { exact: true })).toBeVisible()
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('second')
  await expect(page.getByText('1 of 1')).toBeVisible()
})

test('a job that prints nothing has an empty log, while it runs and when it has ended', async ({ page, as }) => {
  await as('operator')
  await run(page, 'sleep 3')
  const log = page.getByRole('region', { name: 'Log' })
  await expect(log).toContainText('No output yet')
  await expect(log).toContainText('The job had no output')
  await expect(page.getByText('succeeded', { exact: true })).toBeVisible()
  await expect(log).not.toContainText('undefined')
})

test('a silence that is longer than a long poll adds nothing to the log', async ({ page, as }) => {
  await as('operator')
  await run(page, 'printf a; sleep 28; echo b')
  const log = page.getByRole('log', { name: 'Log' })
  await expect(log.getByText('ab', { exact: true })).toBeVisible({ timeout: 60_000 })
  await expect(page.getByText('1 line, complete')).toBeVisible()
})

test('a long log has the beginning and the end of what was printed, and says how much is missing', async ({
  page,
  as,
}) => {
  await as('operator')
  await run(page, 'seq 400000; echo the end')
  await expect(page.getByText(/lines, complete, cut: .* are missing/)).toBeVisible()
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('bytes of output are missing here')
  await expect(page.getByText('1 of 1')).toBeVisible()
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('the end')
  await expect(page.getByRole('log', { name: 'Log' })).toContainText('the end')
})

test('a job that does not end is cancelled, and the page says so', async ({ page, as }) => {
  await as('operator')
  await run(page, 'echo begun; sleep 600')
  await expect(page.getByRole('log', { name: 'Log' })).toContainText('begun')
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(page.getByText('cancelled', { exact: true })).toBeVisible()
  await expect(page.getByRole('button', { name: 'Cancel' })).toHaveAttribute('aria-disabled', 'true')
})

async function run(page: Page, script: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Hosts' }).click()
  await page.getByRole('link', { name: 'one', exact: true }).click()
  await page.getByRole('button', { name: /^Run/ }).click()
  await page
    .getByLabel('Program and arguments')
    .fill(`/bin/sh -c "${script.replaceAll('"', '\\"').replaceAll('\\033', '\\\\033').replaceAll('\\n', '\\\\n')}"`)
  await page.getByRole('dialog').getByRole('button', { name: 'Run', exact: true }).click()
  await expect(page).toHaveURL(/\/jobs\/job_/)
}
