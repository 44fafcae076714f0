/** A fleet update as a row of a list. */

import { Link } from '@tanstack/react-router'

import type { FleetUpdate } from '../../api/nouns'
import { counted } from '../../logic/sizes'
import { Badge } from '../../ui/badge'
import { Time } from '../../ui/time'
import { Progress } from './progress'

export function FleetUpdateRow({ fleetUpdate }: { fleetUpdate: FleetUpdate }) {
  const { id, version, state, counts, note, halted_reason, waiting_on, created_at } = fleetUpdate
  const about = halted_reason ?? (waiting_on && `waiting for ${waiting_on}`)
  return (
    <li className="fup-row">
      <div className="row">
        <Link to="/fleet-updates/$id" params={{ id }} className="link">
          {version} to {counted(counts.total, 'host')}
        </Link>
        <Badge state={state} />
        <span className="faint fup-when">
          <Time at={created_at} />
        </span>
      </div>
      <Progress counts={counts} />
      <p className="cut soft">{[about, note].filter(Boolean).join(' · ')}</p>
    </li>
  )
}
