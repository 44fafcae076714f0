/** The list of pages, for the navigation, the command palette and the keyboard shortcuts. */

import type { IconName } from '../ui/icons'

export interface PageLink {
  to: '/' | '/hosts' | '/jobs' | '/releases' | '/fleet-updates' | '/enrollment' | '/users' | '/api-keys' | '/audit'
  icon: IconName
  title: string
  /** The key that opens the page after `g`. */
  letter: string
}

export const NAVIGATION: { name: string; pages: PageLink[] }[] = [
  {
    name: 'Fleet',
    pages: [
      { to: '/', icon: 'dashboard', title: 'Dashboard', letter: 'd' },
      { to: '/hosts', icon: 'hosts', title: 'Hosts', letter: 'h' },
      { to: '/jobs', icon: 'jobs', title: 'Jobs', letter: 'j' },
    ],
  },
  {
    name: 'Agent',
    pages: [
      { to: '/releases', icon: 'releases', title: 'Releases', letter: 'r' },
      { to: '/fleet-updates', icon: 'fleet_updates', title: 'Fleet updates', letter: 'f' },
      { to: '/enrollment', icon: 'enrollment', title: 'Enrollment', letter: 'e' },
    ],
  },
  {
    name: 'Access',
    pages: [
      { to: '/users', icon: 'users', title: 'Users', letter: 'u' },
      { to: '/api-keys', icon: 'api_keys', title: 'API keys', letter: 'k' },
      { to: '/audit', icon: 'audit', title: 'Audit', letter: 'a' },
    ],
  },
]

export const PAGES = NAVIGATION.flatMap(({ pages }) => pages)
