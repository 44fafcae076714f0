/** The buttons for one host: run, update, change, readmit, retire. */

import { lazy, Suspense, useState } from 'react'

import type { Host } from '../../api/nouns'
import { ActionButton } from '../../ui/button'

const RunDialog = lazy(() => import('../jobs/run_dialog').then((module) => ({ default: module.RunDialog })))
const UpdateDialog = lazy(() => import('./update_dialog').then((module) => ({ default: module.UpdateDialog })))
const ChangeDialog = lazy(() => import('./change_dialog').then((module) => ({ default: module.ChangeDialog })))
const ReadmitDialog = lazy(() => import('./reason_dialogs').then((module) => ({ default: module.ReadmitDialog })))
const RetireDialog = lazy(() => import('./reason_dialogs').then((module) => ({ default: module.RetireDialog })))

type DialogName = 'run' | 'update' | 'change' | 'readmit' | 'retire'

export function HostButtons({ host, newest }: { host: Host; newest: string | null }) {
  const [opened, setOpened] = useState<DialogName | null>(null)
  const open = (which: DialogName) => () => {
    setOpened(which)
  }
  const close = () => {
    setOpened(null)
  }
  return (
    <>
      <ActionButton of={host} action="run" look="primary" onPress={open('run')}>
        Run…
      </ActionButton>
      <ActionButton of={host} action="update" onPress={open('update')}>
        Update agent
      </ActionButton>
      <ActionButton of={host} action="change" onPress={open('change')}>
        Change…
      </ActionButton>
      <ActionButton of={host} action="readmit" onPress={open('readmit')}>
        Readmit…
      </ActionButton>
      <ActionButton of={host} action="remove" look="danger" onPress={open('retire')}>
        Retire…
      </ActionButton>
      <Suspense>
        {opened === 'run' && <RunDialog hosts={[host]} onClose={close} />}
        {opened === 'update' && <UpdateDialog host={host} newest={newest} onClose={close} />}
        {opened === 'change' && <ChangeDialog host={host} onClose={close} />}
        {opened === 'readmit' && <ReadmitDialog host={host} onClose={close} />}
        {opened === 'retire' && <RetireDialog host={host} onClose={close} />}
      </Suspense>
    </>
  )
}
