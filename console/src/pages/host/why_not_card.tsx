/** The actions that are not available for this host, with the server's reasons. */

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
    <Card title="Unavailable actions">
      {reasons.length === 0 ? (
        <p className="soft">Every action is available.</p>
      ) : (
        <Facts rows={reasons.map(([action, reason]) => [NAMES[action] ?? action, reason])} />
      )}
    </Card>
  )
}
