/** A browser, and the built console on a mock server of its own, for scripts that look at it. */

import { spawn } from 'node:child_process'

import { chromium, type Browser } from '@playwright/test'

/** Does something with them, and ends them whatever comes of it. */
export async function mocked(port: number, args: string[], look: (browser: Browser, base: string) => Promise<void>) {
  const base = `http://127.0.0.1:${port}`
  const env = { ...process.env, PORT: String(port) }
  const server = spawn('node', ['--import', 'tsx', 'mock/serve.ts'], { env, stdio: 'inherit' })
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: process.getuid?.() === 0 ? [...args, '--no-sandbox'] : args,
  })
  try {
    await answering(base)
    await look(browser, base)
  } finally {
    await browser.close()
    server.kill()
  }
}

async function answering(base: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await fetch(base).catch(() => null)) return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('the mock does not answer')
}
