/** Who may do what: the console shows it, and the server holds to it whatever is sent. */

import { expect, test, type Name } from './people'

const MAY = {
  viewer: { run: false, users: false },
  operator: { run: true, users: false },
  admin: { run: true, users: true },
} as const

for (const name of ['viewer', 'operator', 'admin'] as const satisfies Name[]) {
  test(`what ${name} may not do is disabled with a reason, and refused when it is sent by hand`, async ({
    page,
    as,
  }) => {
    await as(name)
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Hosts' }).click()
    await page.getByRole('link', { name: 'one', exact: true }).click()
    const run = page.getByRole('button', { name: /^Run/ })
    const id = /hosts\/(host_\w+)/.exec(page.url())?.[1] ?? ''
    const spec = { argv: ['/bin/true'] }
    expect(await send(page, '/api/v1/jobs', { host_ids: [id], kind: 'run', spec })).toBe(MAY[name].run ? 202 : 403)
    const account = { username: `by-${name}`, password: 'only for this test', role: 'viewer' }
    expect(await send(page, '/api/v1/users', account)).toBe(MAY[name].users ? 201 : 403)
    if (MAY[name].run) await expect(run).not.toHaveAttribute('aria-disabled', 'true')
    else await expect(run).toHaveAccessibleDescription(/viewer|operator|role|may/i)
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Users' }).click()
    const make = page.getByRole('button', { name: 'Create user' })
    if (MAY[name].users) await expect(make).not.toHaveAttribute('aria-disabled', 'true')
    else await expect(make).toHaveAccessibleDescription(/admin|role|may/i)
  })
}

/** As the console itself sends it: with the session's cookie and its token. */
async function send(page: import('@playwright/test').Page, path: string, body: object): Promise<number> {
  return page.evaluate(
    async ({ path, body }) => {
      const session = (await (await fetch('/api/v1/session')).json()) as { csrf_token: string }
      const headers = { 'content-type': 'application/json', 'x-csrf-token': session.csrf_token }
      return (await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })).status
    },
    { path, body },
  )
}
