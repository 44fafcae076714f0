/** One host: its reasons, and what is done about it. */

import { expect, test } from './console'
import { HOST } from './pages'

test('a host is understood: what it runs, why its update was undone, how its ways are', async ({ open }) => {
  const page = await open('small', `/hosts/${HOST}`)
  await expect(page.getByText('1.8.4 → 1.9.2')).toBeVisible()
  await expect(page.getByRole('region', { name: 'Agent' }).getByText('it never reached the server')).toBeVisible()
  await expect(page.getByRole('row', { name: /object store open/ })).toBeVisible()
})

test('breakers are reset by a job, which is then followed', async ({ open }) => {
  const page = await open('small', `/hosts/${HOST}`)
  await page.getByRole('button', { name: 'Reset breakers' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Reset circuit breakers' })).toBeVisible()
})

test('the agent is brought to a release', async ({ open }) => {
  const page = await open('small', `/hosts/${HOST}`)
  await page.getByRole('button', { name: 'Update agent' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Update to 1.9.2' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Update the agent to 1.9.2' })).toBeVisible()
})

test('a button that is off says why, also by keys', async ({ open }) => {
  const page = await open('small', `/hosts/${HOST}`)
  const readmit = page.getByRole('button', { name: 'Readmit…' })
  await readmit.focus()
  await expect(readmit).toHaveAccessibleDescription('The host is not quarantined.')
  await expect(
    page
      .getByRole('tooltip', { name: 'The host is not quarantined.' })
      .or(page.getByText('The host is not quarantined.'))
      .first(),
  ).toBeVisible()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog')).toBeHidden()
})

test('a quarantined host is readmitted with a reason', async ({ open }) => {
  const page = await open('small', '/hosts?state=quarantined')
  await page.getByRole('link', { name: /-002/ }).click()
  await expect(page.getByText('two live copies of one identity have checked in')).toBeVisible()
  await page.getByRole('button', { name: 'Readmit…' }).click()
  await page.getByRole('textbox', { name: 'Reason why this is safe' }).fill('the other machine was erased')
  await page.getByRole('dialog').getByRole('button', { name: 'Readmit' }).click()
  await expect(page.getByText('online', { exact: true }).first()).toBeVisible()
})

test('a host is named and labelled', async ({ open }) => {
  const page = await open('small', `/hosts/${HOST}`)
  await page.getByRole('button', { name: 'Change…' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('gate')
  await page.getByRole('textbox', { name: 'Labels' }).fill('tier=front')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'gate' })).toBeVisible()
  await expect(page.getByRole('region', { name: 'Host', exact: true }).getByText('tier=front')).toBeVisible()
})
