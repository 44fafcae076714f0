/** A dialog that yanks a release. */

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
      reason={reason.trim() ? null : 'Enter a reason.'}
      busy={yank.isPending}
      error={yank.error}
      onClose={onClose}
      onSubmit={() => {
        yank.mutate({ version, reason: reason.trim() }, { onSuccess: onClose })
      }}
    >
      <p className="soft">
        The release is offered to no more hosts, and this cannot be undone. Hosts that run it keep it until they are
        updated to another release.
      </p>
      <TextField label="Reason" value={reason} onChange={setReason} />
    </FormDialog>
  )
}
