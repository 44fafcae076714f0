/** Every page in light and dark, as WebP, into screenshots/. Uses the built console and the mock. */

import { mkdir, writeFile } from 'node:fs/promises'

import type { Browser, Page } from '@playwright/test'

import { PAGES, show } from '../tests/mock/pages.ts'
import { mocked } from './mocked.ts'

const PORT = 4182
const OUT = new URL('../screenshots/', import.meta.url)
const MOST_BYTES = 60 * 1024
const QUALITIES = [88, 75, 60, 45]

async function shootAll(browser: Browser, baseURL: string, colorScheme: 'light' | 'dark'): Promise<void> {
  for (const shown of PAGES) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme, baseURL })
    const page = await context.newPage()
    const open = async (scenario: string, path = '/') => {
      await page.goto(`/mock/${scenario}?to=${encodeURIComponent(path)}`)
      return page
    }
    await show(open, shown)
    // Names of hosts come a little later than what is called by them.
    await page.waitForTimeout(2_500)
    await shoot(page, `${shown.name}-${colorScheme}`)
    await context.close()
  }
}

/** As good as it can be within the size. */
async function shoot(page: Page, name: string): Promise<void> {
  // The first picture of a page may lack what has not been drawn yet.
  await page.screenshot()
  const session = await page.context().newCDPSession(page)
  for (const quality of QUALITIES) {
    const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality })
    const bytes = Buffer.from(data, 'base64')
    if (bytes.length > MOST_BYTES && quality !== QUALITIES.at(-1)) continue
    await writeFile(new URL(`${name}.webp`, OUT), bytes)
    console.log(`${name}.webp ${(bytes.length / 1024).toFixed(0)} KB`)
    return
  }
}

await mkdir(OUT, { recursive: true })
await mocked(PORT, [], async (browser, base) => {
  for (const scheme of ['light', 'dark'] as const) await shootAll(browser, base, scheme)
})
