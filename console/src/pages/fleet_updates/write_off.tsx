/** A button that writes off a lost host, so that another host can take its slot. */

import { lazy, Suspense, useState } from 'react'

import type { FleetUpdate } from '../../api/nouns'
import { ActionButton } from '../../ui/button'

const NoteDialog = lazy(() => import('./note_dialog').then((module) => ({ default: module.NoteDialog })))

export function WriteOff({ fleetUpdate, hostId }: { fleetUpdate: FleetUpdate; hostId: string }) {
  const [opened, setOpened] = useState(false)
  return (
    <>
      <ActionButton
        of={fleetUpdate}
        action="write_off"
        look="small danger"
        onPress={() => {
          setOpened(true)
        }}
      >
        Write off…
      </ActionButton>
      <Suspense>
        {opened && (
          <NoteDialog
            fleetUpdate={fleetUpdate}
            action="write_off"
            hostId={hostId}
            onClose={() => {
              setOpened(false)
            }}
          />
        )}
      </Suspense>
    </>
  )
}
