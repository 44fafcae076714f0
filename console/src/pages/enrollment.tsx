/** The page of enrollment: tokens with which hosts join, and the newest hosts, live. */

import { lazy, Suspense, useState } from 'react'

import { enrollmentTokenList, useRevokeEnrollmentToken } from '../api/enrollment_tokens'
import { useList } from '../api/lists'
import type { EnrollmentToken } from '../api/nouns'
import { useSession } from '../api/session'
import { Badge, Labels } from '../ui/badge'
import { ActionButton, whyNot } from '../ui/button'
import { Empty } from '../ui/command'
import { Notice, ProblemNotice } from '../ui/notice'
import { Card, Page } from '../ui/page'
import { ListTable, type Column } from '../ui/table'
import { Time } from '../ui/time'
import { NewHostsCard } from './enrollment/new_hosts_card'

const TokenDialog = lazy(() => import('./enrollment/token_dialog').then((module) => ({ default: module.TokenDialog })))

export function EnrollmentPage() {
  const session = useSession()
  const reason = whyNot(session, 'look_at_enrollment_tokens')
  const [opened, setOpened] = useState(false)
  const create = (
    <ActionButton
      of={session}
      action="create_enrollment_tokens"
      look="primary"
      onPress={() => {
        setOpened(true)
      }}
    >
      Create token
    </ActionButton>
  )
  return (
    <Page title="Enrollment" actions={create}>
      <NewHostsCard />
      {reason ? <Notice tone="warn" title={reason} /> : <Tokens />}
      <Suspense>
        {opened && (
          <TokenDialog
            onClose={() => {
              setOpened(false)
            }}
          />
        )}
      </Suspense>
    </Page>
  )
}

function Tokens() {
  const tokens = useList(enrollmentTokenList)
  const revoke = useRevokeEnrollmentToken()
  const columns: Column<EnrollmentToken>[] = [
    { name: 'Note', cell: ({ note }) => note || <span className="faint">none</span> },
    { name: 'State', cell: ({ state }) => <Badge state={state} tone={state === 'open' ? 'good' : ''} /> },
    { name: 'Hosts', cell: ({ used, seats }) => `${used} of ${seats}` },
    { name: 'Labels', wide: true, spare: true, cell: ({ labels }) => <Labels labels={labels} /> },
    { name: 'Expires', cell: ({ expires_at }) => <Time at={expires_at} /> },
    { name: 'Created', spare: true, cell: ({ created_at }) => <Time at={created_at} /> },
    {
      name: 'Actions',
      end: true,
      cell: (token) => (
        <ActionButton
          of={token}
          action="revoke"
          look="small danger"
          busy={revoke.isPending}
          onPress={() => {
            revoke.mutate(token.id)
          }}
        >
          Revoke
        </ActionButton>
      ),
    },
  ]
  return (
    <Card title="Tokens" plain>
      <ProblemNotice error={revoke.error} />
      <ListTable
        label="Enrollment tokens"
        columns={columns}
        list={tokens}
        id={({ id }) => id}
        empty={<Empty title="There are no tokens" command="muster token create" />}
      />
    </Card>
  )
}
