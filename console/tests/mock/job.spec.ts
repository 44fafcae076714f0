/** A job's log: live, searched, and never anything but text. */

import { expect, firstId, test } from './console'

test('a log grows while one looks, and following can be let go', async ({ open }) => {
  const page = await open('small', '/audit')
  await page.goto(`/jobs/${await firstId(page, '/api/v1/jobs?state=running')}`)
  const log = page.getByRole('log', { name: 'Log' })
  await expect(log.getByText('moved chunk').first()).toBeVisible()
  const lines = page.getByRole('region', { name: 'Log' }).getByText(/lines, live/)
  const before = await lines.textContent()
  await expect(lines).not.toHaveText(before ?? '')
  await expect(page.getByRole('checkbox', { name: 'Follow' })).toBeChecked()
  await page.getByRole('checkbox', { name: 'Follow' }).uncheck()
  await expect(page.getByRole('checkbox', { name: 'Follow' })).not.toBeChecked()
})

test('a log goes on where it was after the server was away', async ({ open, tolerated }) => {
  tolerated.push(/Failed to load resource/)
  const page = await open('small', '/audit')
  await page.goto(`/jobs/${await firstId(page, '/api/v1/jobs?state=running')}`)
  await expect(page.getByRole('log', { name: 'Log' }).getByText('moved chunk').first()).toBeVisible()
  await page.request.get('/mock/away')
  await expect(page.getByText('The server cannot be reached.')).toBeVisible({ timeout: 40_000 })
  await page.request.get('/mock/back')
  await expect(page.getByText('The server cannot be reached.')).toBeHidden({ timeout: 20_000 })
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('[  40/1204]')
  await expect(page.getByText('1 of 1', { exact: true })).toBeVisible()
})

test('a log is searched: count, next, previous', async ({ open }) => {
  const page = await open('small', '/audit')
  await page.goto(`/jobs/${await firstId(page, '/api/v1/jobs?state=failed')}`)
  const search = page.getByRole('searchbox', { name: 'Search the log' })
  await search.fill('e:')
  await expect(page.getByText('1 of 2', { exact: true })).toBeVisible()
  await search.press('Enter')
  await expect(page.getByText('2 of 2', { exact: true })).toBeVisible()
  await page.getByRole('button', { name: 'Previous match' }).click()
  await page.getByRole('button', { name: 'Previous match' }).click()
  await expect(page.getByText('2 of 2', { exact: true })).toBeVisible()
  await search.fill('nowhere to be found')
  await expect(page.getByText('no matches', { exact: true })).toBeVisible()
})

test('output of a host is never HTML', async ({ open }) => {
  const page = await open('small', '/audit')
  await page.goto(`/jobs/${await firstId(page, '/api/v1/jobs?state=failed')}`)
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('<script>')
  await expect(page.getByRole('log').getByText('must not speak here')).toBeVisible()
})

test('a job is cancelled', async ({ open }) => {
  const page = await open('small', '/audit')
  await page.goto(`/jobs/${await firstId(page, '/api/v1/jobs?state=running')}`)
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(page.getByText('cancelled', { exact: true }).first()).toBeVisible()
  await expect(page.getByRole('button', { name: 'Cancel' })).toHaveAccessibleDescription(
    'The job is cancelled already.',
  )
})
