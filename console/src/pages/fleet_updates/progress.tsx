/** The progress of a fleet update: a bar, and the same counts in words. */

import type { FleetUpdate } from '../../api/nouns'
import { count } from '../../logic/sizes'

import '../../styles/fleet_updates.css'

const PARTS = ['succeeded', 'in_flight', 'failed', 'skipped', 'cancelled', 'pending'] as const

export function Progress({ counts }: { counts: FleetUpdate['counts'] }) {
  const parts = PARTS.filter((part) => counts[part] > 0)
  return (
    <div className="progress">
      <div className="progress-bar" aria-hidden="true">
        {parts.map((part) => (
          <span key={part} className={part} style={{ flexGrow: counts[part] }} />
        ))}
      </div>
      <ul className="progress-words">
        {parts.map((part) => (
          <li key={part} className={part}>
            {count(counts[part])} {part.replace('_', ' ')}
          </li>
        ))}
      </ul>
    </div>
  )
}
