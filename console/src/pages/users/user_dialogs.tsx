/** Dialogs that create, change and remove user accounts. */

import { useState } from 'react'

import type { Role, User } from '../../api/nouns'
import { useChangeUser, useCreateUser, useRemoveUser } from '../../api/users'
import { FormDialog } from '../../ui/dialog'
import { SelectField, TextField } from '../../ui/field'

export const ROLES: readonly (readonly [Role, string])[] = [
  ['viewer', 'Viewer: reads only'],
  ['operator', 'Operator: runs jobs, renames and labels hosts'],
  ['admin', 'Admin: does everything'],
]

export function CreateUserDialog({ onClose }: { onClose: () => void }) {
  const create = useCreateUser()
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  return (
    <FormDialog
      title="Create user"
      narrow
      submit="Create"
      reason={username.trim() && password ? null : 'Enter a name and a password.'}
      busy={create.isPending}
      error={create.error}
      onClose={onClose}
      onSubmit={() => {
        create.mutate({ username: username.trim(), password, role }, { onSuccess: onClose })
      }}
    >
      <TextField label="Name" value={username} onChange={setUsername} autoComplete="off" />
      <TextField label="Password" type="password" value={password} onChange={setPassword} autoComplete="new-password" />
      <SelectField label="Role" value={role} onChange={setRole} options={ROLES} />
    </FormDialog>
  )
}

export function ChangeUserDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const change = useChangeUser()
  const [password, setPassword] = useState('')
  const [role, setRole] = useState<Role>(user.role)
  return (
    <FormDialog
      title={`Change ${user.username}`}
      narrow
      submit="Save"
      reason={password || role !== user.role ? null : 'Change the role or the password first.'}
      busy={change.isPending}
      error={change.error}
      onClose={onClose}
      onSubmit={() => {
        change.mutate({ id: user.id, role, ...(password && { password }) }, { onSuccess: onClose })
      }}
    >
      <SelectField label="Role" value={role} onChange={setRole} options={ROLES} />
      <TextField
        label="New password"
        type="password"
        help="Leave this empty to keep the password. A new password ends all sessions of the user."
        value={password}
        onChange={setPassword}
        autoComplete="new-password"
      />
    </FormDialog>
  )
}

export function RemoveUserDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const remove = useRemoveUser()
  return (
    <FormDialog
      title={`Remove ${user.username}`}
      narrow
      submit={`Remove ${user.username}`}
      look="danger primary"
      busy={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onSubmit={() => {
        remove.mutate(user.id, { onSuccess: onClose })
      }}
    >
      <p className="soft">All sessions of the user end at once. The audit log keeps what the user did.</p>
    </FormDialog>
  )
}
