/** A dialog that creates an enrollment token, then shows the command that installs the agent and enrolls the host. */

import { useState } from 'react'

import { useCreateEnrollmentToken } from '../../api/enrollment_tokens'
import { parseLabels } from '../../logic/labels'
import { parseSpan } from '../../logic/times'
import { FormDialog } from '../../ui/dialog'
import { TextField } from '../../ui/field'
import { SecretDialog } from '../../ui/secret_dialog'
import { counted } from '../../logic/sizes'

export function TokenDialog({ onClose }: { onClose: () => void }) {
  const create = useCreateEnrollmentToken()
  const [seats, setSeats] = useState('1')
  const [validFor, setValidFor] = useState('1h')
  const [typed, setTyped] = useState('')
  const [note, setNote] = useState('')
  const labels = parseLabels(typed)
  const valid_for_seconds = parseSpan(validFor)
  const fault = faultOf(seats, valid_for_seconds, labels)
  if (create.data) {
    return (
      <SecretDialog title="Run this command on each host" secret={create.data.install_command} onClose={onClose}>
        <p className="soft">
          The command installs the newest release of the agent from this server and enrolls the host. The token is valid
          for {counted(create.data.seats, 'host')}. Each host appears under “Newest hosts” behind this dialog as soon as
          it has joined. Add <code>--trust-root root.json</code> to let the host install signed updates.
        </p>
      </SecretDialog>
    )
  }
  return (
    <FormDialog
      title="Create enrollment token"
      narrow
      submit="Create"
      reason={fault}
      busy={create.isPending}
      error={create.error}
      onClose={onClose}
      onSubmit={() => {
        if ('labels' in labels && valid_for_seconds)
          create.mutate({ seats: Number(seats), valid_for_seconds, labels: labels.labels, note })
      }}
    >
      <div className="fields">
        <TextField
          label="Hosts"
          inputMode="numeric"
          help="How many hosts may join with the token"
          value={seats}
          onChange={setSeats}
        />
        <TextField label="Valid for" help="Such as 1h or 7d" value={validFor} onChange={setValidFor} />
      </div>
      <TextField
        label="Labels"
        className="mono"
        placeholder="site=north"
        help="Labels for every host that joins with the token"
        value={typed}
        onChange={setTyped}
      />
      <TextField label="Note" placeholder="What the token is for" value={note} onChange={setNote} />
    </FormDialog>
  )
}

function faultOf(seats: string, seconds: number | null, labels: ReturnType<typeof parseLabels>): string | null {
  if (!/^[1-9]\d{0,5}$/.test(seats)) return 'Hosts must be a whole number of at least 1.'
  if (!seconds) return 'Valid for must be a duration such as 1h or 7d.'
  return 'error' in labels ? labels.error : null
}
