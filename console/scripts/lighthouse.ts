/**
 * What Lighthouse says of the dashboard and of the list of hosts, with ten thousand hosts, by the built console on the mock.
 * A figure, not a test: run it where nobody else is at work. Fails below the goal.
 */

import lighthouse, { desktopConfig } from 'lighthouse'

import { mocked } from './mocked.ts'

const PORT = 4183
const DEBUG_PORT = 4184
const GOAL = 95
const CATEGORIES = ['performance', 'accessibility', 'best-practices']

/** Lighthouse looks at the page as somebody who is signed in to a fleet of ten thousand hosts. */
async function signedIn(base: string): Promise<string> {
  const answer = await fetch(`${base}/mock/busy?to=/`, { redirect: 'manual' })
  return answer.headers.getSetCookie().map((cookie) => cookie.split(';')[0]).join('; ') // prettier-ignore
}

async function judge(base: string, path: string, cookie: string): Promise<void> {
  const flags = { port: DEBUG_PORT, onlyCategories: CATEGORIES, extraHeaders: { cookie }, logLevel: 'error' as const }
  const result = await lighthouse(`${base}${path}`, flags, desktopConfig)
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

await mocked(PORT, [`--remote-debugging-port=${DEBUG_PORT}`], async (_, base) => {
  const cookie = await signedIn(base)
  for (const path of ['/', '/hosts']) await judge(base, path, cookie)
})
