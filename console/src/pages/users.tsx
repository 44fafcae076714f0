/** The page of user accounts. */

import { lazy, Suspense, useState } from 'react'

import { useList } from '../api/lists'
import type { User } from '../api/nouns'
import { useSession } from '../api/session'
import { userList } from '../api/users'
import { Badge } from '../ui/badge'
import { ActionButton, whyNot } from '../ui/button'
import { Empty } from '../ui/command'
import { Notice } from '../ui/notice'
import { Page } from '../ui/page'
import { ListTable, type Column } from '../ui/table'
import { Time } from '../ui/time'

const CreateUserDialog = lazy(() =>
  import('./users/user_dialogs').then((module) => ({ default: module.CreateUserDialog })),
)
const ChangeUserDialog = lazy(() =>
  import('./users/user_dialogs').then((module) => ({ default: module.ChangeUserDialog })),
)
const RemoveUserDialog = lazy(() =>
  import('./users/user_dialogs').then((module) => ({ default: module.RemoveUserDialog })),
)

type OpenDialog = { dialog: 'create' } | { dialog: 'change' | 'remove'; user: User }

export function UsersPage() {
  const session = useSession()
  const reason = whyNot(session, 'look_at_users')
  const [opened, setOpened] = useState<OpenDialog | null>(null)
  const close = () => {
    setOpened(null)
  }
  const create = (
    <ActionButton
      of={session}
      action="create_users"
      look="primary"
      onPress={() => {
        setOpened({ dialog: 'create' })
      }}
    >
      Create user
    </ActionButton>
  )
  return (
    <Page title="Users" actions={create}>
      {reason ? <Notice tone="warn" title={reason} /> : <UserTable onOpen={setOpened} />}
      <Suspense>
        {opened?.dialog === 'create' && <CreateUserDialog onClose={close} />}
        {opened?.dialog === 'change' && <ChangeUserDialog user={opened.user} onClose={close} />}
        {opened?.dialog === 'remove' && <RemoveUserDialog user={opened.user} onClose={close} />}
      </Suspense>
    </Page>
  )
}

function UserTable({ onOpen }: { onOpen: (opened: OpenDialog) => void }) {
  const users = useList(userList)
  const columns: Column<User>[] = [
    { name: 'Name', wide: true, cell: ({ username }) => <strong>{username}</strong> },
    { name: 'Role', cell: ({ role }) => <Badge state={role} /> },
    { name: 'Created', spare: true, cell: ({ created_at }) => <Time at={created_at} /> },
    {
      name: 'Actions',
      end: true,
      cell: (user) => (
        <span className="row end-row">
          <ActionButton
            of={user}
            action="change"
            look="small"
            aria-label={`Change ${user.username}`}
            onPress={() => {
              onOpen({ dialog: 'change', user })
            }}
          >
            Change…
          </ActionButton>
          <ActionButton
            of={user}
            action="remove"
            look="small danger"
            aria-label={`Remove ${user.username}`}
            onPress={() => {
              onOpen({ dialog: 'remove', user })
            }}
          >
            Remove…
          </ActionButton>
        </span>
      ),
    },
  ]
  return (
    <div className="card">
      <ListTable
        label="Users"
        columns={columns}
        list={users}
        id={({ id }) => id}
        empty={<Empty title="There are no users" command="muster users create NAME --role viewer" />}
      />
    </div>
  )
}
