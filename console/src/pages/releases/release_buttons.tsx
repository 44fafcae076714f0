/** The buttons for a release: start a fleet update, or yank it. */

import { Link } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'

import type { Release } from '../../api/nouns'
import { ActionButton } from '../../ui/button'

const YankDialog = lazy(() => import('./yank_dialog').then((module) => ({ default: module.YankDialog })))

export function ReleaseButtons({ release, look = '' }: { release: Release; look?: string }) {
  const [opened, setOpened] = useState(false)
  return (
    <span className="row end-row">
      {release.state === 'published' && (
        <Link to="/fleet-updates/new" search={{ version: release.version }} className={`button ${look}`}>
          Update hosts
        </Link>
      )}
      <ActionButton
        of={release}
        action="yank"
        look={`danger ${look}`}
        onPress={() => {
          setOpened(true)
        }}
      >
        Yank…
      </ActionButton>
      <Suspense>
        {opened && (
          <YankDialog
            version={release.version}
            onClose={() => {
              setOpened(false)
            }}
          />
        )}
      </Suspense>
    </span>
  )
}
