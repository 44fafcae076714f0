/**
 * What Lighthouse says of the dashboard and of the list of hosts, with ten thousand hosts, by the built console on the mock.
 * A figure, not a test: run it where nobody else is at work. Fails below the goal.
 */

import { spawn } from 'node:child_process'

import { chromium } from '@playwright/test'
import lighthouse, { desktopConfig } from 'lighthouse'

const PORT = 4183
const DEBUG_PORT = 4184
const BASE = `http://127.0.0.1:${PORT}`
const GOAL = 95
const CATEGORIES = ['performance', 'accessibility', 'best-practices']

async function main(): Promise<void> {
  const env = { ...process.env, PORT: String(PORT) }
  const server = spawn('node', ['--import', 'tsx', 'mock/serve.ts'], { env, stdio: 'inherit' })
  const args = [`--remote-debugging-port=${DEBUG_PORT}`, ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])]
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args })
  try {
    await answering()
    const cookie = await signedIn()
    for (const path of ['/', '/hosts']) await judge(path, cookie)
  } finally {
    await browser.close()
    server.kill()
  }
}

/** Lighthouse looks at the page as somebody who is signed in to a fleet of ten thousand hosts. */
async function signedIn(): Promise<string> {
  const answer = await fetch(`${BASE}/mock/busy?to=/`, { redirect: 'manual' })
  return answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0]).join('; ') // prettier-ignore
}

async function judge(path: string, cookie: string): Promise<void> {
  const flags = { port: DEBUG_PORT, onlyCategories: CATEGORIES, extraHeaders: { cookie }, logLevel: 'error' as const }
  const result = await lighthouse(`${BASE}${path}`, flags, desktopConfig)
  if (!result) throw new Error('Lighthouse has no result')
  const scores = CATEGORIES.map((name) => Math.round((result.lhr.categories[name]?.score ?? 0) * 100))
  const [painted, largest] = ['first-contentful-paint', 'largest-contentful-paint'].map((name) => result.lhr.audits[name]?.displayValue) // prettier-ignore
  console.log(
    `${path.padEnd(8)} ${CATEGORIES.map((name, at) => `${name} ${scores[at]}`).join(', ')}; first paint ${painted}, largest ${largest}`,
  )
  for (const [name, audit] of Object.entries(result.lhr.audits)) {
    if (audit.score !== null && audit.score < 0.9 && audit.scoreDisplayMode === 'binary')
      console.log(`  ${name}: ${audit.title}`)
  }
  if (scores.some((score) => score < GOAL)) process.exitCode = 1
}

async function answering(): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (await fetch(BASE).catch(() => null)) return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  throw new Error('the mock does not answer')
}

await main()
