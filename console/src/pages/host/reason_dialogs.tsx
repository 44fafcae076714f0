/** Dialogs that ask for a reason: readmitting a quarantined host, and retiring a host for good. */

import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'

import { useReadmitHost, useRemoveHost } from '../../api/hosts'
import type { Host } from '../../api/nouns'
import { FormDialog } from '../../ui/dialog'
import { Check, TextField } from '../../ui/field'

interface HostDialogProps {
  host: Host
  onClose: () => void
}

export function ReadmitDialog({ host, onClose }: HostDialogProps) {
  const readmit = useReadmitHost(host.id)
  const [reason, setReason] = useState('')
  return (
    <FormDialog
      title={`Readmit ${host.name}`}
      narrow
      submit="Readmit"
      reason={reason.trim() ? null : 'Enter a reason why this is safe.'}
      busy={readmit.isPending}
      error={readmit.error}
      onClose={onClose}
      onSubmit={() => {
        readmit.mutate(reason.trim(), { onSuccess: onClose })
      }}
    >
      <p className="soft">{host.state_reason}</p>
      <TextField label="Reason why this is safe" value={reason} onChange={setReason} />
    </FormDialog>
  )
}

export function RetireDialog({ host, onClose }: HostDialogProps) {
  const navigate = useNavigate()
  const remove = useRemoveHost(host.id)
  const [typed, setTyped] = useState('')
  const [why, setWhy] = useState('')
  const [force, setForce] = useState(false)
  const unnamed = typed === host.name ? null : 'Type the name of the host.'
  return (
    <FormDialog
      title={`Retire ${host.name} for good`}
      narrow
      submit="Retire"
      look="danger primary"
      reason={unnamed ?? (force && !why.trim() ? 'Enter a reason for giving up the open jobs.' : null)}
      busy={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onSubmit={() => {
        const reason = why.trim() || undefined
        remove.mutate({ force, reason }, { onSuccess: () => void navigate({ to: '/hosts' }) })
      }}
    >
      <p className="soft">
        This revokes the identity of the host: its agent can never check in again. The record of the host stays.
      </p>
      <TextField label={`Type ${host.name}`} value={typed} onChange={setTyped} autoComplete="off" />
      <TextField label="Reason" value={why} onChange={setWhy} />
      <Check label="Retire the host even if it has open jobs" checked={force} onChange={setForce} />
    </FormDialog>
  )
}
