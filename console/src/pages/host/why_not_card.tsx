/** What cannot be done to this host now, and why: the server's own words. */

import type { Host } from '../../api/nouns'
import { Card, Facts } from '../../ui/page'

const NAMES: Record<string, string> = {
  run: 'Run',
  update: 'Update agent',
  change: 'Change',
  readmit: 'Readmit',
  reset_breakers: 'Reset breakers',
  remove: 'Retire',
}

export function WhyNotCard({ host }: { host: Host }) {
  const reasons = Object.entries((host as Partial<Host>).why_not ?? {})
  return (
    <Card title="Why not">
      {reasons.length === 0 ? (
        <p className="soft">All that there is can be done now.</p>
      ) : (
        <Facts rows={reasons.map(([action, reason]) => [NAMES[action] ?? action, reason])} />
      )}
    </Card>
  )
}
