/** Every page can be used by everybody: axe finds nothing, in light and in dark, and at 360 px nothing sticks out. */

import { expect, findings, test } from './console'
import { PAGES, show } from './pages'

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme })
    for (const each of PAGES) {
      test(`axe finds nothing on ${each.name}, and the navigation is in sight`, async ({ open }) => {
        const page = await show(open, each)
        expect(await findings(page)).toEqual([])
        const pages = page.getByRole('navigation', { name: 'Pages' })
        await expect(pages.getByRole('link', { name: 'Audit' })).toBeInViewport({ ratio: 1 })
      })
    }
    test('axe finds nothing on sign_in', async ({ open }) => {
      const page = await open('small', '/sign-in', 'signed_out')
      await page.getByRole('button', { name: 'Sign in' }).waitFor()
      expect(await findings(page)).toEqual([])
    })
  })
}

test.describe('at 360 px', () => {
  test.use({ viewport: { width: 360, height: 740 } })
  for (const each of PAGES) {
    test(`${each.name} does not scroll sideways`, async ({ open }) => {
      const page = await show(open, each)
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360)
    })
  }

  test('the navigation opens, leads on and closes', async ({ open }) => {
    const page = await open('small')
    await page.getByRole('button', { name: 'Navigation' }).click()
    await page.getByRole('navigation').getByRole('link', { name: 'Releases' }).click()
    await expect(page.getByRole('heading', { level: 1, name: 'Releases' })).toBeVisible()
    await expect(page.getByRole('navigation', { name: 'Pages' })).toBeHidden()
  })
})
