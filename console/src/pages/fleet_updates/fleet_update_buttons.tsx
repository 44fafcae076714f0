/** Buttons to pause, resume, retry and cancel a fleet update. Pause asks for no confirmation, because it must be fast. */

import { lazy, Suspense, useState } from 'react'

import { useActOnFleetUpdate, type FleetUpdateAction } from '../../api/fleet_updates'
import type { FleetUpdate } from '../../api/nouns'
import { ActionButton } from '../../ui/button'
import { ProblemNotice } from '../../ui/notice'

const NoteDialog = lazy(() => import('./note_dialog').then((module) => ({ default: module.NoteDialog })))

export function FleetUpdateButtons({ fleetUpdate }: { fleetUpdate: FleetUpdate }) {
  const act = useActOnFleetUpdate(fleetUpdate.id)
  const [opened, setOpened] = useState<FleetUpdateAction | null>(null)
  const open = (action: FleetUpdateAction) => () => {
    setOpened(action)
  }
  return (
    <>
      <ProblemNotice error={act.error} />
      <ActionButton
        of={fleetUpdate}
        action="pause"
        busy={act.isPending}
        onPress={() => {
          act.mutate({ action: 'pause' })
        }}
      >
        Pause
      </ActionButton>
      <ActionButton of={fleetUpdate} action="resume" onPress={open('resume')}>
        Resume…
      </ActionButton>
      <ActionButton of={fleetUpdate} action="retry_failed" onPress={open('retry_failed')}>
        Retry failed…
      </ActionButton>
      <ActionButton of={fleetUpdate} action="cancel" look="danger" onPress={open('cancel')}>
        Cancel…
      </ActionButton>
      <Suspense>
        {opened && (
          <NoteDialog
            fleetUpdate={fleetUpdate}
            action={opened}
            onClose={() => {
              setOpened(null)
            }}
          />
        )}
      </Suspense>
    </>
  )
}
