/** The router: every page, its path, and its search parameters. */

import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'

import { onSessionEnded, queryClient, sessionKey } from './api/client'
import { hasStatus } from './api/problem'
import { sessionQuery } from './api/session'
import { parseHostFilter } from './logic/host_filter'
import { oneOf, parseSearch, stringifySearch, text, texts, type RawSearch } from './logic/search_params'
import { Failed, Missing } from './shell/failed'
import { Root } from './shell/root'
import { Shell } from './shell/shell'

const rootRoute = createRootRoute({ component: Root, notFoundComponent: Missing, errorComponent: Failed })

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: (search: RawSearch): { back?: string } => ({ back: ownPath(search.back) }),
  component: lazyRouteComponent(() => import('./pages/sign_in'), 'SignInPage'),
})

/** Accepts only paths of this console, so that a link cannot redirect to another site after sign-in. */
function ownPath(value: unknown): string | undefined {
  const path = text(value)
  return path && /^\/(?![/\\])/.test(path) ? path : undefined
}

const shellRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'shell',
  beforeLoad: async ({ location }) => {
    await queryClient.query({ ...sessionQuery, staleTime: 'static' }).catch((error: unknown) => {
      if (!hasStatus(error, 401)) throw error
      throw redirect({ to: '/sign-in', search: { back: location.href === '/' ? undefined : location.href } })
    })
  },
  component: Shell,
  notFoundComponent: Missing,
  errorComponent: Failed,
})

const dashboardRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/',
  component: lazyRouteComponent(() => import('./pages/dashboard'), 'DashboardPage'),
})

const hostsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/hosts',
  validateSearch: parseHostFilter,
  component: lazyRouteComponent(() => import('./pages/hosts'), 'HostsPage'),
})

const hostRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/hosts/$id',
  component: lazyRouteComponent(() => import('./pages/host'), 'HostPage'),
})

const jobsRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/jobs',
  validateSearch: (search: RawSearch): { host?: string; state?: string; kind?: string } => ({
    host: text(search.host),
    state: text(search.state),
    kind: text(search.kind),
  }),
  component: lazyRouteComponent(() => import('./pages/jobs'), 'JobsPage'),
})

const jobRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/jobs/$id',
  component: lazyRouteComponent(() => import('./pages/job'), 'JobPage'),
})

const releasesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/releases',
  component: lazyRouteComponent(() => import('./pages/releases'), 'ReleasesPage'),
})

const releaseRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/releases/$version',
  component: lazyRouteComponent(() => import('./pages/release'), 'ReleasePage'),
})

const fleetUpdatesRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/fleet-updates',
  component: lazyRouteComponent(() => import('./pages/fleet_updates'), 'FleetUpdatesPage'),
})

const fleetUpdateNewRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/fleet-updates/new',
  validateSearch: (search: RawSearch): { version?: string; label?: string[]; os?: string; hosts?: 'selected' } => ({
    version: text(search.version),
    label: texts(search.label),
    os: text(search.os),
    hosts: oneOf(search.hosts, ['selected']),
  }),
  component: lazyRouteComponent(() => import('./pages/fleet_update_new'), 'FleetUpdateNewPage'),
})

const fleetUpdateRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/fleet-updates/$id',
  component: lazyRouteComponent(() => import('./pages/fleet_update'), 'FleetUpdatePage'),
})

const enrollmentRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/enrollment',
  component: lazyRouteComponent(() => import('./pages/enrollment'), 'EnrollmentPage'),
})

const usersRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/users',
  component: lazyRouteComponent(() => import('./pages/users'), 'UsersPage'),
})

const apiKeysRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/api-keys',
  component: lazyRouteComponent(() => import('./pages/api_keys'), 'ApiKeysPage'),
})

const auditRoute = createRoute({
  getParentRoute: () => shellRoute,
  path: '/audit',
  validateSearch: (search: RawSearch): { subject?: string; alert?: 'true' } => ({
    subject: text(search.subject),
    alert: oneOf(search.alert, ['true']),
  }),
  component: lazyRouteComponent(() => import('./pages/audit'), 'AuditPage'),
})

const routeTree = rootRoute.addChildren([
  signInRoute,
  shellRoute.addChildren([
    dashboardRoute,
    hostsRoute,
    hostRoute,
    jobsRoute,
    jobRoute,
    releasesRoute,
    releaseRoute,
    fleetUpdatesRoute,
    fleetUpdateNewRoute,
    fleetUpdateRoute,
    enrollmentRoute,
    usersRoute,
    apiKeysRoute,
    auditRoute,
  ]),
])

export const router = createRouter({
  routeTree,
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

/** If the session ends, the console opens the sign-in page, and returns from there to the page before. */
onSessionEnded(() => {
  const { pathname, href } = router.state.location
  if (pathname === '/sign-in') return
  // The page still uses the session while it is shown, so the session is removed after the page has gone.
  void router.navigate({ to: '/sign-in', search: { back: href } }).then(() => {
    queryClient.removeQueries({ queryKey: sessionKey })
  })
})
