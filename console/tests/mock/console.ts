/** A page of the console in a scenario; whatever the browser complains about fails the test. */

import AxeBuilder from '@axe-core/playwright'
import { expect, test as base, type Page } from '@playwright/test'

export type Scenario = 'busy' | 'small' | 'empty' | 'halted' | 'viewer' | 'down'

interface Console {
  /** Opens a path in a fleet of its own. */
  open: (scenario: Scenario, path?: string, session?: 'signed_in' | 'signed_out') => Promise<Page>
  /** What the browser may complain about in this test. */
  tolerated: RegExp[]
}

export const test = base.extend<Console>({
  tolerated: [
    // Playwright wants its fixtures to name what they need: this one needs nothing.
    // eslint-disable-next-line no-empty-pattern
    async ({}, provide) => {
      await provide([])
    },
    { scope: 'test' },
  ],
  open: async ({ page, tolerated }, provide) => {
    const complaints: string[] = []
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
    })
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => {
        console.error(`content security policy: ${event.violatedDirective} ${event.blockedURI}`)
      })
    })
    await provide(async (scenario, path = '/', session = 'signed_in') => {
      await page.goto(`/mock/${scenario}?${session}&to=${encodeURIComponent(path)}`)
      return page
    })
    expect(complaints.filter((complaint) => !tolerated.some((each) => each.test(complaint)))).toEqual([])
  },
})

export { expect }

/** What axe finds, in words that say where. */
export async function findings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`),
  )
}

/** The id of a thing that the mock's API lists. */
export async function firstId(page: Page, path: string): Promise<string> {
  const answer = await page.request.get(path)
  const { items } = (await answer.json()) as { items: { id: string }[] }
  const [first] = items
  if (!first) throw new Error(`${path} lists nothing`)
  return first.id
}
