/** The frame around every page after sign-in: the navigation, the account, and the keyboard shortcuts. */

import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'

import { useSession, useSignOut } from '../api/session'
import { Button } from '../ui/button'
import { Icon, Logo } from '../ui/icons'
import { NAVIGATION } from './navigation'
import { useShortcuts } from './shortcuts'
import { ThemeChoice } from './theme'

const Palette = lazy(() => import('./palette').then((module) => ({ default: module.Palette })))
const ShortcutList = lazy(() => import('./shortcut_list').then((module) => ({ default: module.ShortcutList })))

type OpenDialog = 'palette' | 'shortcuts' | null

export function Shell() {
  const [opened, setOpened] = useState<OpenDialog>(null)
  const [wanted, setWanted] = useState('')
  const openPalette = () => {
    if (opened !== 'palette') setWanted('')
    setOpened('palette')
  }
  const close = () => {
    setOpened(null)
  }
  useShortcuts({
    palette: openPalette,
    shortcuts: () => {
      setOpened('shortcuts')
    },
    // The code of the palette may still be loading.
    coming:
      opened === 'palette'
        ? {
            type: (letter) => {
              setWanted((before) => before + letter)
            },
            close,
          }
        : undefined,
  })
  return (
    <>
      <a className="skip" href="#main">
        Skip to content
      </a>
      <div className="shell">
        <Side onSearch={openPalette} />
        <div className="main">
          <Suspense>
            <Outlet />
          </Suspense>
        </div>
      </div>
      <Suspense>
        {opened === 'palette' && <Palette wanted={wanted} onWant={setWanted} onClose={close} />}
        {opened === 'shortcuts' && <ShortcutList onClose={close} />}
      </Suspense>
    </>
  )
}

/** The navigation: beside the page, or above it on a narrow screen. */
function Side({ onSearch }: { onSearch: () => void }) {
  const path = useLocation({ select: (location) => location.pathname })
  // The menu is open for one path only, so that following a link closes it.
  const [openAt, setOpenAt] = useState<string | null>(null)
  const open = openAt === path
  return (
    <header className="bar">
      <div className="top">
        <Button
          look="quiet icon"
          aria-label="Navigation"
          aria-expanded={open}
          aria-controls="side"
          onPress={() => {
            setOpenAt(open ? null : path)
          }}
        >
          <Icon name={open ? 'close' : 'menu'} />
        </Button>
        <Brand />
        <Button look="quiet icon" aria-label="Find hosts and pages" onPress={onSearch}>
          <Icon name="search" />
        </Button>
      </div>
      <div className="side" id="side" data-open={open}>
        <Brand />
        <button type="button" className="seek" onClick={onSearch}>
          <Icon name="search" />
          Find
          <kbd>{navigator.userAgent.includes('Mac') ? '⌘ K' : 'Ctrl K'}</kbd>
        </button>
        <Navigation />
        <Foot />
      </div>
    </header>
  )
}

function Brand() {
  return (
    <div className="brand">
      <Logo />
      Muster
    </div>
  )
}

function Navigation() {
  return (
    <nav className="nav" aria-label="Pages">
      {NAVIGATION.map(({ name, pages }) => (
        <div className="nav-group" key={name}>
          <h2>{name}</h2>
          <ul>
            {pages.map(({ to, icon, title }) => (
              <li key={to}>
                <Link to={to} className="nav-link" activeOptions={{ exact: to === '/', includeSearch: false }}>
                  <Icon name={icon} />
                  {title}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  )
}

function Foot() {
  const { username, role } = useSession()
  const signOut = useSignOut()
  const navigate = useNavigate()
  return (
    <div className="side-foot">
      <div className="whoami">
        <strong>{username}</strong>
        <span className="faint">{role}</span>
      </div>
      <div className="row">
        <ThemeChoice />
        <Button
          look="quiet small"
          busy={signOut.isPending}
          onPress={() => {
            signOut.mutate(undefined, { onSettled: () => void navigate({ to: '/sign-in' }) })
          }}
        >
          Sign out
        </Button>
      </div>
    </div>
  )
}
