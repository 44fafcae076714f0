/** Makes a key, whose text is shown once, and revokes one. */

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
      <SecretDialog title={`The API key ${create.data.name}`} secret={create.data.key} onClose={onClose}>
        <p className="soft">Programs send it as a bearer token; the command line takes it from MUSTER_TOKEN.</p>
      </SecretDialog>
    )
  }
  return (
    <FormDialog
      title="Make an API key"
      narrow
      submit="Make the key"
      reason={name.trim() ? (valid_for_seconds ? null : 'Valid for a span such as 90d.') : 'It needs a name.'}
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
      <p className="soft">Programs that use it are refused from now on.</p>
    </FormDialog>
  )
}
