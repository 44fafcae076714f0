/** Every page in light and dark, as WebP, into screenshots/. Uses the built console and the mock. */

import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'

import { chromium, type Browser, type Page } from '@playwright/test'

import { PAGES, show } from '../tests/mock/pages.ts'

const PORT = 4182
const BASE = `http://127.0.0.1:${PORT}`
const OUT = new URL('../screenshots/', import.meta.url)
const MOST_BYTES = 60 * 1024
const QUALITIES = [88, 75, 60, 45]

async function main(): Promise<void> {
  await mkdir(OUT, { recursive: true })
  const server = spawn('node', ['--import', 'tsx', 'mock/serve.ts'], {
    env: { ...process.env, PORT: String(PORT) },
    stdio: 'inherit',
  })
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args })
  try {
    await answering()
    for (const scheme of ['light', 'dark'] as const) await shootAll(browser, scheme)
  } finally {
    await browser.close()
    server.kill()
  }
}

async function answering(): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await fetch(BASE).catch(() => null)) return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('the mock does not answer')
}

async function shootAll(browser: Browser, colorScheme: 'light' | 'dark'): Promise<void> {
  for (const shown of PAGES) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme, baseURL: BASE })
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

await main()
