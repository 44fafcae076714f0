/** Asks for a note, and then does it. */

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
    about: 'No further host is offered the release. Hosts that are updating finish.',
    submit: 'Pause',
  },
  resume: { title: 'Resume', about: 'Hosts are offered the release again.', submit: 'Resume' },
  cancel: {
    title: 'Cancel for good',
    about:
      'No further host is offered the release, ever. Hosts that are updating finish. To go on means a new fleet update.',
    submit: 'Cancel the fleet update',
    look: 'danger primary',
  },
  retry_failed: {
    title: 'Retry failed hosts',
    about: 'The hosts that have failed get another turn.',
    submit: 'Retry failed',
  },
  write_off: {
    title: 'Write off a lost host',
    about:
      'Its slot is given up and it counts as failed. Only when it is known what became of it: it may still be in the middle of its update.',
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
  // Going on after a halt is a decision: somebody has to say why.
  const isNeeded = needsNote ?? fleetUpdate.state === 'halted'
  return (
    <FormDialog
      title={title}
      narrow
      submit={submit}
      look={look}
      reason={isNeeded && !note.trim() ? 'Say why.' : null}
      busy={act.isPending}
      error={act.error}
      onClose={onClose}
      onSubmit={() => {
        act.mutate({ action, note: note.trim(), ...(hostId && { host_id: hostId }) }, { onSuccess: onClose })
      }}
    >
      <p className="soft">{about}</p>
      <TextField label={isNeeded ? 'Why' : 'Why (if you like)'} value={note} onChange={setNote} />
    </FormDialog>
  )
}
