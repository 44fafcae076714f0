/** The buttons for the selected hosts: run, update, label. */

import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'

import { selectionKey } from '../../api/fleet_updates'
import type { Host } from '../../api/nouns'
import { useSession } from '../../api/session'
import type { HostFilter } from '../../logic/host_filter'
import { counted } from '../../logic/sizes'
import { ActionButton, Button, whyNot } from '../../ui/button'

const RunDialog = lazy(() => import('../jobs/run_dialog').then((module) => ({ default: module.RunDialog })))
const LabelDialog = lazy(() => import('./label_dialog').then((module) => ({ default: module.LabelDialog })))

interface HostActionsProps {
  hosts: Host[]
  /** A selector that matches exactly these hosts, if there is one. */
  selector: Pick<HostFilter, 'label' | 'os'> | null
  onClear: () => void
}

export function HostActions({ hosts, selector, onClear }: HostActionsProps) {
  const session = useSession()
  const client = useQueryClient()
  const navigate = useNavigate()
  const [opened, setOpened] = useState<'run' | 'label' | null>(null)
  const close = () => {
    setOpened(null)
  }
  const changeable = hosts.filter((host) => whyNot(host, 'change') === null)
  const update = () => {
    if (selector && (selector.label ?? selector.os)) {
      void navigate({ to: '/fleet-updates/new', search: selector })
      return
    }
    const ids = hosts.map(({ id }) => id)
    client.setQueryData(selectionKey, ids)
    void navigate({ to: '/fleet-updates/new', search: { hosts: 'selected' } })
  }
  return (
    <div className="row" role="toolbar" aria-label="Selected hosts">
      <strong>{counted(hosts.length, 'host')} selected</strong>
      <ActionButton
        of={session}
        action="create_jobs"
        look="small"
        onPress={() => {
          setOpened('run')
        }}
      >
        Run…
      </ActionButton>
      <ActionButton of={session} action="create_fleet_updates" look="small" onPress={update}>
        Update…
      </ActionButton>
      <Button
        look="small"
        reason={changeable.length > 0 ? null : whyNot(hosts[0], 'change')}
        onPress={() => {
          setOpened('label')
        }}
      >
        Label…
      </Button>
      <Button look="quiet small" onPress={onClear}>
        Clear
      </Button>
      <Suspense>
        {opened === 'run' && <RunDialog hosts={hosts} onClose={close} />}
        {opened === 'label' && <LabelDialog hosts={changeable} onClose={close} />}
      </Suspense>
    </div>
  )
}
