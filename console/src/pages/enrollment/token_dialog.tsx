/** Makes a token, and shows the one line that installs the agent and enrols the host. */

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
      <SecretDialog title="Type this on each host" secret={create.data.install_command} onClose={onClose}>
        <p className="soft">
          It installs the agent of the newest release from this server, and lets {counted(create.data.seats, 'host')}{' '}
          join. They appear in “Joined last” behind this window as soon as they have. With{' '}
          <code>--trust-root root.json</code> at its end they take updates as well.
        </p>
      </SecretDialog>
    )
  }
  return (
    <FormDialog
      title="Make an enrollment token"
      narrow
      submit="Make the token"
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
          help="How many may join with it"
          value={seats}
          onChange={setSeats}
        />
        <TextField label="Valid for" help="Such as 1h or 7d" value={validFor} onChange={setValidFor} />
      </div>
      <TextField
        label="Labels"
        className="mono"
        placeholder="site=north"
        help="Every host that joins with it gets them"
        value={typed}
        onChange={setTyped}
      />
      <TextField label="Note" placeholder="What it is for" value={note} onChange={setNote} />
    </FormDialog>
  )
}

function faultOf(seats: string, seconds: number | null, labels: ReturnType<typeof parseLabels>): string | null {
  if (!/^[1-9]\d{0,5}$/.test(seats)) return 'Hosts are a whole number from 1.'
  if (!seconds) return 'Valid for a span such as 1h or 7d.'
  return 'error' in labels ? labels.error : null
}
