/** Who is at the console. */

import { expect, type Page, test as base } from '@playwright/test'

import { wanted } from './outside'

export type Name = 'admin' | 'operator' | 'viewer'

export { expect }

/** A page on which nothing may go wrong in silence. */
export const test = base.extend<{ as: (name: Name) => Promise<void> }>({
  as: async ({ page }, provide) => {
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(String(error)))
    page.on('console', (message) => {
      // The browser itself tells of each answer that is an error, which tests bring about on purpose.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        faults.push(message.text())
    })
    await provide((name) => signIn(page, name))
    expect(faults).toEqual([])
  },
})

async function signIn(page: Page, name: Name): Promise<void> {
  await page.goto('/')
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(wanted('MUSTER_PASSWORD'))
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible()
}
