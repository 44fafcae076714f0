/** The page of API keys, which programs use to call the API. */

import { lazy, Suspense, useState } from 'react'

import { apiKeyList } from '../api/api_keys'
import { useList } from '../api/lists'
import type { ApiKey } from '../api/nouns'
import { useSession } from '../api/session'
import { Actor } from '../ui/actor'
import { Badge } from '../ui/badge'
import { ActionButton, whyNot } from '../ui/button'
import { Empty } from '../ui/command'
import { Notice } from '../ui/notice'
import { Page } from '../ui/page'
import { ListTable, type Column } from '../ui/table'
import { Time } from '../ui/time'

const CreateKeyDialog = lazy(() =>
  import('./api_keys/key_dialogs').then((module) => ({ default: module.CreateKeyDialog })),
)
const RevokeKeyDialog = lazy(() =>
  import('./api_keys/key_dialogs').then((module) => ({ default: module.RevokeKeyDialog })),
)

export function ApiKeysPage() {
  const session = useSession()
  const reason = whyNot(session, 'look_at_api_keys')
  const [creating, setCreating] = useState(false)
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  const create = (
    <ActionButton
      of={session}
      action="create_api_keys"
      look="primary"
      onPress={() => {
        setCreating(true)
      }}
    >
      Create API key
    </ActionButton>
  )
  return (
    <Page title="API keys" actions={create}>
      {reason ? <Notice tone="warn" title={reason} /> : <KeyTable onRevoke={setRevoking} />}
      <Suspense>
        {creating && (
          <CreateKeyDialog
            onClose={() => {
              setCreating(false)
            }}
          />
        )}
        {revoking && (
          <RevokeKeyDialog
            apiKey={revoking}
            onClose={() => {
              setRevoking(null)
            }}
          />
        )}
      </Suspense>
    </Page>
  )
}

/** The role of a key: never more than its maker has now. */
function KeyRole({ apiKey: { role, role_now, created_by } }: { apiKey: ApiKey }) {
  if (created_by && !role_now) return <span className="faint">ended with its maker</span>
  return <Badge state={role_now ?? role} />
}

function KeyTable({ onRevoke }: { onRevoke: (key: ApiKey) => void }) {
  const keys = useList(apiKeyList)
  const columns: Column<ApiKey>[] = [
    { name: 'Name', wide: true, cell: ({ name }) => <strong>{name}</strong> },
    { name: 'Role', cell: (key) => <KeyRole apiKey={key} /> },
    {
      name: 'Made by',
      spare: true,
      cell: ({ created_by, created_by_name }) =>
        created_by ? <Actor actor={created_by} name={created_by_name} /> : <span className="faint">not kept</span>,
    },
    { name: 'Last used', cell: ({ last_used_at }) => <Time at={last_used_at} none="never" /> },
    { name: 'Expires', spare: true, cell: ({ expires_at }) => <Time at={expires_at} /> },
    { name: 'Created', spare: true, cell: ({ created_at }) => <Time at={created_at} /> },
    {
      name: 'Actions',
      end: true,
      cell: (key) => (
        <ActionButton
          of={key}
          action="revoke"
          look="small danger"
          aria-label={`Revoke ${key.name}`}
          onPress={() => {
            onRevoke(key)
          }}
        >
          Revoke…
        </ActionButton>
      ),
    },
  ]
  return (
    <div className="card">
      <ListTable
        label="API keys"
        columns={columns}
        list={keys}
        id={({ id }) => id}
        empty={<Empty title="There are no API keys" command="muster keys create ci --role operator" />}
      />
    </div>
  )
}
