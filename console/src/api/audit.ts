/** The API call for the audit log. */

import { api, body } from './client'
import { PAGE_SIZE, type ListOf } from './lists'
import type { AuditEntry } from './nouns'

export interface AuditFilter {
  subject?: string
  alert?: boolean
}

export function auditList(filter: AuditFilter, limit = PAGE_SIZE): ListOf<AuditEntry> {
  return {
    queryKey: ['audit', filter, limit],
    ask: (cursor, signal) =>
      body(api.GET('/api/v1/audit', { params: { query: { ...filter, limit, cursor } }, signal })),
  }
}
