/** Who may do what; sessions; secrets; a server that is away. */

import { expect, test } from './console'
import { HOST } from './pages'

test('one signs in, and a wrong password is told', async ({ open, tolerated }) => {
  tolerated.push(/401/)
  const page = await open('small', '/releases', 'signed_out')
  await page.getByRole('textbox', { name: 'Name' }).fill('anna')
  await page.getByLabel('Password').fill('wrong')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('alert')).toContainText('wrong name or password')
  await page.getByLabel('Password').fill('right')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: 'Releases' })).toBeVisible()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page.getByRole('button', { name: 'Sign in' })).toBeVisible()
})

test('an ended session leads to sign-in and back to where one was', async ({ open, tolerated }) => {
  tolerated.push(/401/)
  const page = await open('small', '/hosts?updates=behind')
  await page.getByRole('grid', { name: 'Hosts' }).waitFor()
  await page.request.get('/mock/expire')
  await page.getByRole('navigation').getByRole('link', { name: 'Audit' }).click()
  await page.getByText('Your session has ended').waitFor()
  await page.getByRole('textbox', { name: 'Name' }).fill('anna')
  await page.getByLabel('Password').fill('right')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: 'Audit' })).toBeVisible()
})

test('after signing in one does not go where a foreign link says', async ({ open }) => {
  const page = await open('small', '/sign-in?back=//example.net/', 'signed_out')
  await page.getByRole('textbox', { name: 'Name' }).fill('anna')
  await page.getByLabel('Password').fill('right')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1, name: 'Dashboard' })).toBeVisible()
})

test('a viewer sees every button, and why it is off', async ({ open }) => {
  const page = await open('viewer', `/hosts/${HOST}`)
  for (const name of ['Run…', 'Update agent', 'Change…', 'Readmit…', 'Retire…', 'Reset breakers']) {
    const button = page.getByRole('button', { name })
    await expect(button).toHaveAttribute('aria-disabled', 'true')
    await expect(button).toHaveAccessibleDescription(/needs the role (operator|admin); you are viewer/)
  }
  await page.getByRole('navigation').getByRole('link', { name: 'Users' }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Users' })).toBeVisible()
  await expect(
    page.getByRole('main').getByText('This needs the role admin; you are viewer.').filter({ visible: true }),
  ).toHaveCount(1)
  await page.getByRole('navigation').getByRole('link', { name: 'Fleet updates' }).click()
  await expect(page.getByRole('button', { name: 'New fleet update' })).toHaveAccessibleDescription(
    /needs the role admin/,
  )
})

test('a key is shown once', async ({ open }) => {
  const page = await open('small', '/api-keys')
  await page.getByRole('button', { name: 'Create API key' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('backup')
  await page.getByRole('dialog').getByRole('button', { name: 'Create', exact: true }).click()
  await expect(page.getByText(/^mst_/)).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(page.getByText(/^mst_/)).toBeVisible()
  await page.getByRole('button', { name: 'I have copied it' }).click()
  await expect(page.getByText(/^mst_/)).toBeHidden()
  await expect(page.getByRole('row', { name: /backup/ })).toBeVisible()
  await page.getByRole('button', { name: 'Revoke backup' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke backup' }).click()
  await expect(page.getByRole('row', { name: /backup/ })).toBeHidden()
})

test('a user is made, changed and removed; the last admin stays', async ({ open }) => {
  const page = await open('small', '/users')
  await page.getByRole('button', { name: 'Create user' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill('nina')
  await page.getByLabel('Password').fill('twelve chars')
  await page.getByRole('dialog').getByRole('button', { name: 'Create', exact: true }).click()
  await expect(page.getByRole('row', { name: /nina viewer/ })).toBeVisible()
  await page.getByRole('button', { name: 'Change nina' }).click()
  await page.getByRole('combobox', { name: 'Role' }).selectOption('operator')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByRole('row', { name: /nina operator/ })).toBeVisible()
  await page.getByRole('button', { name: 'Remove nina' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove nina' }).click()
  await expect(page.getByRole('row', { name: /nina/ })).toBeHidden()
  await expect(page.getByRole('button', { name: 'Remove anna' })).toHaveAccessibleDescription(
    'The last admin cannot be removed.',
  )
})

test('a token gives the line to type, and the host appears', async ({ open }) => {
  const page = await open('small', '/enrollment')
  await page.getByRole('button', { name: 'Create token' }).click()
  await page.getByRole('textbox', { name: 'Labels' }).fill('site=north')
  await page.getByRole('dialog').getByRole('button', { name: 'Create', exact: true }).click()
  await expect(page.getByText(/MUSTER_ENROLLMENT_TOKEN=met_.*install\.sh; \} \| sudo sh/)).toBeVisible()
  await page.getByRole('button', { name: 'I have copied it' }).click()
  await expect(page.getByRole('table', { name: 'Newest hosts' }).getByRole('link', { name: 'new-host' })).toBeVisible({
    timeout: 20_000,
  })
})

test('a release is yanked with a reason', async ({ open }) => {
  const page = await open('small', '/releases/1.8.4')
  await page.getByRole('button', { name: 'Yank…' }).click()
  await page.getByRole('textbox', { name: 'Reason' }).fill('it eats disks')
  await page.getByRole('dialog').getByRole('button', { name: 'Yank' }).click()
  await expect(page.getByText('it eats disks')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Yank…' })).toHaveAccessibleDescription(
    'The release is yanked already.',
  )
})

test('a server that is away is told, and the page comes back by itself', async ({ open, tolerated }) => {
  tolerated.push(/Failed to load resource/, /Unreachable/)
  const page = await open('down')
  await expect(page.getByText('This page reconnects automatically').first()).toBeVisible()
  await page.request.get('/mock/back')
  await expect(page.getByRole('heading', { level: 1, name: 'Dashboard' })).toBeVisible({ timeout: 20_000 })
  await expect(page.getByRole('table', { name: 'Recent failures' })).toBeVisible()
})

test('where there is nothing, the next command to type is said', async ({ open }) => {
  const page = await open('empty')
  await expect(page.getByText('muster token create')).toBeVisible()
  const commands = {
    Hosts: 'muster token create',
    Jobs: 'muster jobs run',
    'API keys': 'muster keys create',
    Releases: 'muster release sign',
  }
  for (const [name, command] of Object.entries(commands)) {
    await page.getByRole('navigation').getByRole('link', { name, exact: true }).click()
    await expect(page.getByRole('main').getByText(command).first()).toBeVisible()
  }
})
