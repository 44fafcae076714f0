/** The page of the audit log, newest entry first. */

import { useNavigate, useSearch } from '@tanstack/react-router'

import { auditList } from '../api/audit'
import { useList } from '../api/lists'
import { useSession } from '../api/session'
import { Button, whyNot } from '../ui/button'
import { Empty } from '../ui/command'
import { Check } from '../ui/field'
import { Notice } from '../ui/notice'
import { Page } from '../ui/page'
import { ListTable } from '../ui/table'
import { AUDIT_COLUMNS } from './audit/audit_columns'

export function AuditPage() {
  const reason = whyNot(useSession(), 'look_at_audit')
  return <Page title="Audit">{reason ? <Notice tone="warn" title={reason} /> : <AuditLog />}</Page>
}

function AuditLog() {
  const { subject, alert } = useSearch({ from: '/shell/audit' })
  const navigate = useNavigate({ from: '/audit' })
  const entries = useList(auditList({ subject, alert: alert ? true : undefined }))
  return (
    <>
      <search className="row" aria-label="Filter the audit log">
        <Check
          label="Only alerts"
          checked={alert === 'true'}
          onChange={(only) => {
            void navigate({ search: (known) => ({ ...known, alert: only ? 'true' : undefined }) })
          }}
        />
        {subject && (
          <Button
            look="small"
            aria-label="Remove subject"
            onPress={() => {
              void navigate({ search: (known) => ({ ...known, subject: undefined }) })
            }}
          >
            subject <span className="mono">{subject}</span> ×
          </Button>
        )}
      </search>
      <div className="card">
        <ListTable
          label="Audit log"
          columns={AUDIT_COLUMNS}
          list={entries}
          id={(entry) => entry.id}
          empty={<Empty title="There are no entries" command="muster audit" />}
        />
      </div>
    </>
  )
}
