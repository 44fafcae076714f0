/** Dialogs can be used by everybody, keep the focus, and give it back. */

import type { Page } from '@playwright/test'

import { expect, findings, test } from './console'
import { HOST } from './pages'

interface Opened {
  path: string
  button: string
  then?: (page: Page) => Promise<void>
}

const DIALOGS: Opened[] = [
  { path: `/hosts/${HOST}`, button: 'Run…' },
  { path: `/hosts/${HOST}`, button: 'Update agent' },
  { path: `/hosts/${HOST}`, button: 'Retire…' },
  { path: '/users', button: 'Create user' },
  {
    path: '/enrollment',
    button: 'Create token',
    then: (page) => page.getByRole('dialog').getByRole('button', { name: 'Create', exact: true }).click(),
  },
  { path: '/', button: 'Find' },
]

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme })
    for (const { path, button, then } of DIALOGS) {
      test(`axe finds nothing in what “${button}” opens on ${path}`, async ({ open }) => {
        const page = await open('small', path)
        await page.getByRole('button', { name: button }).first().click()
        await page.getByRole('dialog').waitFor()
        await then?.(page)
        expect(await findings(page)).toEqual([])
      })
    }
  })
}

test('a dialog takes the focus, and gives it back when it closes', async ({ open }) => {
  const page = await open('small', `/hosts/${HOST}`)
  await page.getByRole('button', { name: 'Change…' }).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('textbox', { name: 'Name' })).toBeFocused()
  await page.keyboard.press('Escape')
  await expect(page.getByRole('button', { name: 'Change…' })).toBeFocused()
})

test('a job is run with keys alone, and its log is seen', async ({ open }) => {
  const page = await open('small', `/hosts/${HOST}`)
  await page.getByRole('button', { name: 'Run…' }).focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('combobox', { name: 'Job' })).toBeFocused()
  await page.keyboard.press('Tab')
  await page.keyboard.type('/usr/bin/uptime --pretty')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: '/usr/bin/uptime --pretty' })).toBeVisible()
  await expect(page.getByRole('log').getByText('done')).toBeVisible()
})

test('a theme that was chosen stays', async ({ open }) => {
  const page = await open('small', '/audit')
  await page.getByRole('combobox', { name: 'Theme' }).selectOption('dark')
  await page.reload()
  await expect(page.getByRole('combobox', { name: 'Theme' })).toHaveValue('dark')
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
})

test('a time says exactly when, also by keys', async ({ open }) => {
  const page = await open('small', '/releases')
  const time = page.getByRole('table', { name: 'Releases' }).getByText('6 d ago')
  await time.hover()
  await expect(page.getByRole('tooltip').filter({ visible: true })).toHaveText(/\d{4}.*\d\d:\d\d:\d\d/)
})
