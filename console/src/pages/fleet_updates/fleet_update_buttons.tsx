/** The hand on the brake. Pausing asks nothing: it must be fast. */

import { lazy, Suspense, useState } from 'react'

import { useActOnFleetUpdate, type FleetUpdateAction } from '../../api/fleet_updates'
import type { FleetUpdate } from '../../api/nouns'
import { ActionButton } from '../../ui/button'
import { ProblemNotice } from '../../ui/notice'

const NoteDialog = lazy(() => import('./note_dialog').then((module) => ({ default: module.NoteDialog })))

export function FleetUpdateButtons({ fleetUpdate }: { fleetUpdate: FleetUpdate }) {
  const act = useActOnFleetUpdate(fleetUpdate.id)
  const [asked, setAsked] = useState<FleetUpdateAction | null>(null)
  const ask = (action: FleetUpdateAction) => () => {
    setAsked(action)
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
      <ActionButton of={fleetUpdate} action="resume" onPress={ask('resume')}>
        Resume…
      </ActionButton>
      <ActionButton of={fleetUpdate} action="retry_failed" onPress={ask('retry_failed')}>
        Retry failed…
      </ActionButton>
      <ActionButton of={fleetUpdate} action="cancel" look="danger" onPress={ask('cancel')}>
        Cancel…
      </ActionButton>
      <Suspense>
        {asked && (
          <NoteDialog
            fleetUpdate={fleetUpdate}
            action={asked}
            onClose={() => {
              setAsked(null)
            }}
          />
        )}
      </Suspense>
    </>
  )
}
