/** Fleet updates: planned, confirmed, watched, stopped, understood. */

import { expect, firstId, test } from './console'

test('one is planned, confirmed by the number of hosts, and watched to its end', async ({ open }) => {
  test.setTimeout(120_000)
  const page = await open('small', '/fleet-updates')
  await page.getByRole('table', { name: 'Fleet updates' }).getByRole('link', { name: '1.9.2' }).click()
  await page.getByRole('button', { name: 'Cancel…' }).click()
  await page.getByRole('button', { name: 'Cancel the fleet update' }).click()
  await expect(page.getByText('cancelled', { exact: true }).first()).toBeVisible()
  await page.getByRole('navigation').getByRole('link', { name: 'Fleet updates' }).click()
  await page.getByRole('button', { name: 'New fleet update' }).click()
  await page.getByRole('combobox', { name: 'Hosts', exact: true }).selectOption('matching')
  await page.getByRole('textbox', { name: 'Labels' }).fill('site=lab')
  await page.getByRole('textbox', { name: 'Max in flight' }).fill('50%')
  await page.getByRole('textbox', { name: 'Soak between waves' }).fill('0s')
  await page.getByRole('button', { name: 'Show the plan' }).click()
  await expect(page.getByText('Already up to date')).toBeVisible()
  await expect(page.getByText('Shortest duration')).toBeVisible()
  const confirm = page.getByRole('textbox', { name: /^Type \d+ to update/ })
  const start = page.getByRole('button', { name: 'Start the fleet update' })
  await expect(start).toHaveAccessibleDescription(/Type the number of hosts \(\d+\) first/)
  const hosts =
    /Type (\d+)/.exec((await start.getAttribute('aria-describedby')) ? await confirmLabel(page) : '')?.[1] ?? ''
  await confirm.fill(hosts)
  await start.click()
  await expect(page.getByRole('heading', { level: 1, name: new RegExp(`1\\.9\\.2 to ${hosts} host`) })).toBeVisible()
  await expect(page.getByText('completed', { exact: true }).first()).toBeVisible({ timeout: 90_000 })
})

async function confirmLabel(page: import('@playwright/test').Page): Promise<string> {
  return (await page.getByText(/^Type \d+ to update/).textContent()) ?? ''
}

test('a changed plan must be shown anew before it can be confirmed', async ({ open }) => {
  const page = await open('small', '/fleet-updates/new')
  await page.getByRole('button', { name: 'Show the plan' }).click()
  await expect(page.getByRole('button', { name: 'Start the fleet update' })).toBeVisible()
  await page.getByRole('textbox', { name: 'Waves', exact: true }).fill('2')
  await expect(page.getByRole('button', { name: 'Start the fleet update' })).toBeHidden()
})

test('a second one is refused, with what to quote', async ({ open, tolerated }) => {
  tolerated.push(/409/)
  const page = await open('small', '/fleet-updates/new')
  await page.getByRole('button', { name: 'Show the plan' }).click()
  const hosts = /Type (\d+)/.exec(await confirmLabel(page))?.[1] ?? ''
  await page.getByRole('textbox', { name: /^Type \d+ to update/ }).fill(hosts)
  await page.getByRole('button', { name: 'Start the fleet update' }).click()
  await expect(page.getByRole('alert').getByText('Another fleet update is active')).toBeVisible()
  await expect(page.getByRole('alert').getByText(/^req_/)).toBeVisible()
})

test('one is paused and resumed; its slots and reasons are shown', async ({ open }) => {
  const page = await open('small', '/audit')
  await page.goto(`/fleet-updates/${await firstId(page, '/api/v1/fleet-updates')}`)
  await expect(page.getByRole('list', { name: 'Slots' }).getByRole('link').first()).toBeVisible()
  await expect(page.getByText(/waiting for wave 3 opens after wave 2/).first()).toBeVisible()
  await page.getByRole('button', { name: 'Pause' }).click()
  await expect(page.getByText('paused', { exact: true }).first()).toBeVisible()
  await expect(page.getByRole('button', { name: 'Pause' })).toHaveAccessibleDescription(
    'The fleet update is paused, not running.',
  )
  await page.getByRole('button', { name: 'Resume…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click()
  await expect(page.getByText('running', { exact: true }).first()).toBeVisible()
})

test('a halted one is understood, and its failed hosts get another turn', async ({ open }) => {
  const page = await open('halted')
  await page.getByRole('link', { name: /1\.9\.2 to \d+ hosts/ }).click()
  await expect(page.getByText('Halted: failure limit reached (1 of 1)')).toBeVisible()
  await expect(page.getByText('rolled_back: it never reached the server').first()).toBeVisible()
  await expect(page.getByRole('log').getByText('rolled back')).toBeVisible()
  await page.getByRole('button', { name: 'Retry failed…' }).click()
  await page.getByRole('textbox', { name: 'Reason' }).fill('the firewall was closed')
  await page.getByRole('dialog').getByRole('button', { name: 'Retry failed' }).click()
  await expect(page.getByText('running', { exact: true }).first()).toBeVisible()
})

test('a lost host is written off with a reason', async ({ open }) => {
  const page = await open('halted', '/audit')
  await page.goto(`/fleet-updates/${await firstId(page, '/api/v1/fleet-updates')}`)
  await page.getByRole('button', { name: 'Write off…' }).click()
  const submit = page.getByRole('dialog').getByRole('button', { name: 'Write off' })
  await expect(submit).toHaveAccessibleDescription('Enter a reason.')
  await page.getByRole('textbox', { name: 'Reason' }).fill('the disk is dead')
  await submit.click()
  await expect(page.getByText('written off').first()).toBeVisible()
})
