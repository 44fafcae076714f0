/** Dialogs that create an API key, whose secret is shown once, and revoke one. */

import { useState } from 'react'

import { useCreateApiKey, useRevokeApiKey } from '../../api/api_keys'
import type { ApiKey, Role } from '../../api/nouns'
import { parseSpan } from '../../logic/times'
import { FormDialog } from '../../ui/dialog'
import { SelectField, TextField } from '../../ui/field'
import { SecretDialog } from '../../ui/secret_dialog'
import { ROLES } from '../users/user_dialogs'

export function CreateKeyDialog({ onClose }: { onClose: () => void }) {
  const create = useCreateApiKey()
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const [validFor, setValidFor] = useState('90d')
  const valid_for_seconds = parseSpan(validFor)
  if (create.data) {
    return (
      <SecretDialog title={`API key ${create.data.name}`} secret={create.data.key} onClose={onClose}>
        <p className="soft">Programs send the key as a bearer token. The command line reads it from MUSTER_API_KEY.</p>
      </SecretDialog>
    )
  }
  return (
    <FormDialog
      title="Create API key"
      narrow
      submit="Create"
      reason={name.trim() ? (valid_for_seconds ? null : 'Valid for must be a duration such as 90d.') : 'Enter a name.'}
      busy={create.isPending}
      error={create.error}
      onClose={onClose}
      onSubmit={() => {
        if (valid_for_seconds) create.mutate({ name: name.trim(), role, valid_for_seconds })
      }}
    >
      <TextField label="Name" placeholder="ci" value={name} onChange={setName} autoComplete="off" />
      <SelectField label="Role" value={role} onChange={setRole} options={ROLES} />
      <TextField label="Valid for" help="Such as 24h or 90d" value={validFor} onChange={setValidFor} />
    </FormDialog>
  )
}

export function RevokeKeyDialog({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const revoke = useRevokeApiKey()
  return (
    <FormDialog
      title={`Revoke ${apiKey.name}`}
      narrow
      submit={`Revoke ${apiKey.name}`}
      look="danger primary"
      busy={revoke.isPending}
      error={revoke.error}
      onClose={onClose}
      onSubmit={() => {
        revoke.mutate(apiKey.id, { onSuccess: onClose })
      }}
    >
      <p className="soft">The server refuses all programs that use this key from now on.</p>
    </FormDialog>
  )
}
