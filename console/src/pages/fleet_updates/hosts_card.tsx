/** The hosts of a fleet update: the state of each, and the reason for it. */

import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import type { FleetUpdate, FleetUpdateHost } from '../../api/nouns'
import { count } from '../../logic/sizes'
import { Badge } from '../../ui/badge'
import { Button } from '../../ui/button'
import { Card } from '../../ui/page'
import { Table, type Column } from '../../ui/table'
import { HostLink } from '../host/host_link'
import { WriteOff } from './write_off'

/** How many rows to draw at first. */
const SOME = 100
/** States in the order of the table: hosts that need attention come first. */
const ORDER = ['failed', 'lost', 'verifying', 'offered', 'pending', 'skipped', 'cancelled', 'succeeded']

export function HostsCard({ hosts, fleetUpdate }: { hosts: FleetUpdateHost[]; fleetUpdate: FleetUpdate }) {
  const [shown, setShown] = useState(SOME)
  const [state, setState] = useState('')
  const wanted = hosts.filter((host) => state === '' || host.state === state)
  const sorted = wanted.toSorted((one, other) => rank(one) - rank(other) || one.position - other.position)
  const filter = (
    <select
      className="input host-state"
      aria-label="State of hosts"
      value={state}
      onChange={(event) => {
        setState(event.target.value)
      }}
    >
      <option value="">All {count(hosts.length)}</option>
      {ORDER.filter((each) => hosts.some((host) => host.state === each)).map((each) => (
        <option key={each} value={each}>
          {each}
        </option>
      ))}
    </select>
  )
  return (
    <Card title="Hosts" actions={filter} plain>
      <Table
        label="Hosts of the fleet update"
        columns={columnsFor(fleetUpdate)}
        rows={sorted.slice(0, shown)}
        id={({ host_id }) => host_id}
      />
      {sorted.length > shown && (
        <div className="table-foot">
          <Button
            look="quiet"
            onPress={() => {
              setShown(shown + 10 * SOME)
            }}
          >
            Show more of {count(sorted.length)}
          </Button>
        </div>
      )}
    </Card>
  )
}

function rank({ state }: FleetUpdateHost): number {
  return ORDER.indexOf(state)
}

function columnsFor(fleetUpdate: FleetUpdate): Column<FleetUpdateHost>[] {
  return [
    { name: 'Host', cell: ({ host_id }) => <HostLink id={host_id} /> },
    { name: 'State', cell: ({ state }) => <Badge state={state} /> },
    { name: 'Reason', wide: true, cell: (host) => <Reason host={host} /> },
    { name: 'Wave', spare: true, cell: ({ wave }) => (wave === 0 ? 'canary' : wave + 1) },
    { name: 'Attempts', spare: true, cell: ({ attempts }) => attempts },
    { name: 'Job', spare: true, cell: ({ job_id }) => job_id && <Link to="/jobs/$id" params={{ id: job_id }} className="link">Job</Link> }, // prettier-ignore
    {
      name: 'Actions',
      end: true,
      cell: (host) => host.state === 'lost' && <WriteOff fleetUpdate={fleetUpdate} hostId={host.host_id} />,
    },
  ]
}

function Reason({ host: { reason, waiting_on } }: { host: FleetUpdateHost }) {
  const why = reason ?? (waiting_on && `waiting for ${waiting_on}`)
  return <div className="cut soft" title={why ?? undefined}>{why}</div> // prettier-ignore
}
