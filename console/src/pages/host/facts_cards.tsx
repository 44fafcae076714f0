/** Facts about a host and its agent, as the agent reports them. */

import { Link } from '@tanstack/react-router'

import type { Host } from '../../api/nouns'
import { bytes } from '../../logic/sizes'
import { Badge } from '../../ui/badge'
import { Card, Facts } from '../../ui/page'
import { Time } from '../../ui/time'

export function FactsCard({ host: { facts } }: { host: Host }) {
  const disks = facts.disks?.map((disk) => `${disk.mount ?? ''} ${bytes(disk.size_bytes ?? 0)}`).join(', ')
  return (
    <Card title="Machine">
      <Facts
        rows={[
          ['Host name', facts.hostname],
          ['System', [facts.os_version, facts.os && `(${facts.os})`].filter(Boolean).join(' ')],
          ['Kernel', facts.kernel],
          ['Architecture', facts.architecture],
          ['Processors', facts.cpu_count],
          ['Memory', facts.memory_bytes && bytes(facts.memory_bytes)],
          ['Disks', disks],
          [
            'Addresses',
            facts.ip_addresses && facts.ip_addresses.length > 0 && (
              <span className="mono">{facts.ip_addresses.join(', ')}</span>
            ),
          ],
          ['Booted', facts.booted_at && <Time at={facts.booted_at} />],
        ]}
      />
    </Card>
  )
}

export function AgentCard({ host: { agent, facts } }: { host: Host }) {
  return (
    <Card title="Agent">
      {agent ? (
        <Facts
          rows={[
            ['Version', agent.version],
            ['Digest', <Digest key="digest" sha256={agent.executable_sha256} />],
            ['Committed', agent.committed ? 'yes' : 'no, the version is on probation'],
            ['Last update', agent.last_update && <LastUpdate update={agent.last_update} />],
            ['Policy allows', facts.capabilities?.join(', ')],
            ['Process', <code key="process">{agent.process_id}</code>],
          ]}
        />
      ) : (
        <p className="soft">The agent has not reported yet.</p>
      )}
    </Card>
  )
}

/** The start of a digest; the full digest is its tooltip. */
export function Digest({ sha256 }: { sha256: string }) {
  return <code title={sha256}>{sha256.slice(0, 16)}…</code>
}

type Update = NonNullable<NonNullable<Host['agent']>['last_update']>

function LastUpdate({ update }: { update: Update }) {
  return (
    <span>
      to {update.to} <Badge state={update.outcome} />
      {update.reason && <span className="soft"> {update.reason}</span>}{' '}
      <Link to="/jobs/$id" params={{ id: update.transaction }} className="link">
        job
      </Link>
    </span>
  )
}
