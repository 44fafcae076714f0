/** Every page, with how to know that it is there. */

import type { Page } from '@playwright/test'

import { firstId, type Scenario } from './console.ts'

export interface Shown {
  name: string
  scenario: Scenario
  path: string | ((page: Page) => Promise<string>)
  heading: RegExp
  /** A region, table or grid that shows that it is loaded. */
  shows: { role: 'grid' | 'table' | 'region' | 'textbox' | 'list' | 'log'; name: RegExp }
}

export const HOST = 'host_01KJQ6PSG0DRSNYJN000000001'

export const PAGES: Shown[] = [
  {
    name: 'dashboard',
    scenario: 'busy',
    path: '/',
    heading: /Dashboard/,
    shows: { role: 'table', name: /Recent failures/ },
  },
  { name: 'hosts', scenario: 'busy', path: '/hosts', heading: /Hosts/, shows: { role: 'grid', name: /Hosts/ } },
  {
    name: 'host',
    scenario: 'small',
    path: `/hosts/${HOST}`,
    heading: /edge-gate/,
    shows: { role: 'table', name: /Jobs of this host/ },
  },
  { name: 'jobs', scenario: 'small', path: '/jobs', heading: /Jobs/, shows: { role: 'table', name: /Jobs/ } },
  {
    name: 'job',
    scenario: 'small',
    path: async (page) => `/jobs/${await firstId(page, '/api/v1/jobs?state=failed')}`,
    heading: /apt-get/,
    shows: { role: 'log', name: /Log/ },
  },
  {
    name: 'job_live',
    scenario: 'small',
    path: async (page) => `/jobs/${await firstId(page, '/api/v1/jobs?state=running')}`,
    heading: /migrate/,
    shows: { role: 'log', name: /Log/ },
  },
  {
    name: 'releases',
    scenario: 'small',
    path: '/releases',
    heading: /Releases/,
    shows: { role: 'table', name: /Releases/ },
  },
  {
    name: 'release',
    scenario: 'small',
    path: '/releases/1.9.2',
    heading: /1\.9\.2/,
    shows: { role: 'table', name: /Targets/ },
  },
  {
    name: 'fleet_updates',
    scenario: 'small',
    path: '/fleet-updates',
    heading: /Fleet updates/,
    shows: { role: 'table', name: /Fleet updates/ },
  },
  {
    name: 'fleet_update_new',
    scenario: 'busy',
    path: '/fleet-updates/new',
    heading: /New fleet update/,
    shows: { role: 'textbox', name: /^Waves$/ },
  },
  {
    name: 'fleet_update',
    scenario: 'small',
    path: async (page) => `/fleet-updates/${await firstId(page, '/api/v1/fleet-updates')}`,
    heading: /1\.9\.2 to/,
    shows: { role: 'table', name: /Hosts of the fleet update/ },
  },
  {
    name: 'fleet_update_halted',
    scenario: 'halted',
    path: async (page) => `/fleet-updates/${await firstId(page, '/api/v1/fleet-updates')}`,
    heading: /1\.9\.2 to/,
    shows: { role: 'log', name: /Log/ },
  },
  {
    name: 'enrollment',
    scenario: 'small',
    path: '/enrollment',
    heading: /Enrollment/,
    shows: { role: 'table', name: /Enrollment tokens/ },
  },
  { name: 'users', scenario: 'small', path: '/users', heading: /Users/, shows: { role: 'table', name: /Users/ } },
  {
    name: 'api_keys',
    scenario: 'small',
    path: '/api-keys',
    heading: /API keys/,
    shows: { role: 'table', name: /API keys/ },
  },
  { name: 'audit', scenario: 'small', path: '/audit', heading: /Audit/, shows: { role: 'table', name: /Audit log/ } },
]

/** Opens a page and waits until it is all there. */
export async function show(open: (scenario: Scenario, path?: string) => Promise<Page>, shown: Shown): Promise<Page> {
  const known = typeof shown.path === 'string' ? shown.path : null
  const page = await open(shown.scenario, known ?? '/audit')
  if (typeof shown.path !== 'string') await page.goto(await shown.path(page))
  await page.getByRole('heading', { level: 1, name: shown.heading }).waitFor()
  await page.getByRole(shown.shows.role, { name: shown.shows.name }).first().waitFor()
  return page
}
