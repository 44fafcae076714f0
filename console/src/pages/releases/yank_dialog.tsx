/** Takes a release back. */

import { useState } from 'react'

import { useYankRelease } from '../../api/releases'
import { FormDialog } from '../../ui/dialog'
import { TextField } from '../../ui/field'

export function YankDialog({ version, onClose }: { version: string; onClose: () => void }) {
  const yank = useYankRelease()
  const [reason, setReason] = useState('')
  return (
    <FormDialog
      title={`Yank ${version}`}
      narrow
      submit="Yank"
      look="danger primary"
      reason={reason.trim() ? null : 'Say why.'}
      busy={yank.isPending}
      error={yank.error}
      onClose={onClose}
      onSubmit={() => {
        yank.mutate({ version, reason: reason.trim() }, { onSuccess: onClose })
      }}
    >
      <p className="soft">
        It is offered to no further host, and that cannot be undone. Hosts that run it keep it until they are brought to
        another one.
      </p>
      <TextField label="Why" value={reason} onChange={setReason} />
    </FormDialog>
  )
}
