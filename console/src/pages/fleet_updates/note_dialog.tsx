/** A dialog that asks for a reason, then pauses, resumes, retries, cancels or writes off. */

import { useState } from 'react'

import { useActOnFleetUpdate, type FleetUpdateAction } from '../../api/fleet_updates'
import type { FleetUpdate } from '../../api/nouns'
import { FormDialog } from '../../ui/dialog'
import { TextField } from '../../ui/field'

interface Words {
  title: string
  about: string
  submit: string
  look?: string
  needsNote?: boolean
}

const WORDS: Record<FleetUpdateAction, Words> = {
  pause: {
    title: 'Pause',
    about: 'The release is offered to no more hosts. Hosts that are updating finish their update.',
    submit: 'Pause',
  },
  resume: { title: 'Resume', about: 'The release is offered to hosts again.', submit: 'Resume' },
  cancel: {
    title: 'Cancel for good',
    about:
      'The release is offered to no more hosts. Hosts that are updating finish their update. A cancelled fleet update cannot be resumed.',
    submit: 'Cancel the fleet update',
    look: 'danger primary',
  },
  retry_failed: {
    title: 'Retry failed hosts',
    about: 'The release is offered again to the hosts that failed.',
    submit: 'Retry failed',
  },
  write_off: {
    title: 'Write off a lost host',
    about:
      'The host counts as failed, and another host can take its slot. Do this only if you know what happened to the host: it may still be updating.',
    submit: 'Write off',
    look: 'danger primary',
    needsNote: true,
  },
}

interface NoteDialogProps {
  fleetUpdate: FleetUpdate
  action: FleetUpdateAction
  hostId?: string
  onClose: () => void
}

export function NoteDialog({ fleetUpdate, action, hostId, onClose }: NoteDialogProps) {
  const act = useActOnFleetUpdate(fleetUpdate.id)
  const [note, setNote] = useState('')
  const { title, about, submit, look, needsNote } = WORDS[action]
  // Resuming after a halt needs a reason, for the audit log.
  const isNeeded = needsNote ?? fleetUpdate.state === 'halted'
  return (
    <FormDialog
      title={title}
      narrow
      submit={submit}
      look={look}
      reason={isNeeded && !note.trim() ? 'Enter a reason.' : null}
      busy={act.isPending}
      error={act.error}
      onClose={onClose}
      onSubmit={() => {
        act.mutate({ action, note: note.trim(), ...(hostId && { host_id: hostId }) }, { onSuccess: onClose })
      }}
    >
      <p className="soft">{about}</p>
      <TextField label={isNeeded ? 'Reason' : 'Reason (optional)'} value={note} onChange={setNote} />
    </FormDialog>
  )
}
