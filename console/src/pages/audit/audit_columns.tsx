/** Columns for tables of audit entries. */

import { Link } from '@tanstack/react-router'

import type { AuditEntry } from '../../api/nouns'
import { short } from '../../logic/ids'
import { Actor } from '../../ui/actor'
import { Badge } from '../../ui/badge'
import type { Column } from '../../ui/table'
import { Time } from '../../ui/time'
import { HostLink } from '../host/host_link'

export const AUDIT_COLUMNS: Column<AuditEntry>[] = [
  { name: 'When', cell: (entry) => <Time at={entry.at} /> },
  {
    name: 'What',
    wide: true,
    cell: (entry) => (
      <div className="cut">
        {entry.alert && <Badge state="alert" />} {entry.action.replaceAll('_', ' ').replace('.', ' ')}
        {entry.detail && <span className="faint"> {entry.detail}</span>}
      </div>
    ),
  },
  { name: 'Subject', cell: (entry) => <Subject id={entry.subject} /> },
  { name: 'Who', spare: true, cell: (entry) => <Actor actor={entry.actor} name={entry.actor_name} /> },
  { name: 'From', spare: true, cell: (entry) => <span className="faint">{entry.address}</span> },
  { name: 'Request', spare: true, cell: (entry) => <code className="faint">{short(entry.request_id ?? '')}</code> },
]

/** The subject of an entry, as a link if it has a page. */
function Subject({ id }: { id: string }) {
  if (id.startsWith('host_')) return <HostLink id={id} />
  const text = <code>{short(id)}</code>
  if (id.startsWith('job_')) return <Link to="/jobs/$id" params={{ id }} className="link">{text}</Link> // prettier-ignore
  if (id.startsWith('fup_')) return <Link to="/fleet-updates/$id" params={{ id }} className="link">{text}</Link> // prettier-ignore
  return text
}
