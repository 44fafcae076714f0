/** Why a fleet update has halted: the reason, the hosts that failed, and the log of a failed job. */

import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'

import { liveJob } from '../../api/jobs'
import { liveQuery } from '../../api/live'
import type { FleetUpdate, FleetUpdateHost } from '../../api/nouns'
import { Notice } from '../../ui/notice'
import { Loaded } from '../../ui/loaded'
import { HostLink } from '../host/host_link'
import { LogCard } from '../job/log_card'

export function Halted({ fleetUpdate, hosts }: { fleetUpdate: FleetUpdate; hosts: FleetUpdateHost[] }) {
  const failed = hosts.filter((host) => host.state === 'failed' || host.state === 'lost')
  const withJob = failed.filter((host) => host.job_id)
  const [chosen, setChosen] = useState<string | null>(null)
  const host = withJob.find(({ host_id }) => host_id === chosen) ?? withJob[0]
  return (
    <>
      <Notice
        tone="bad"
        title={`Halted: ${fleetUpdate.halted_reason ?? fleetUpdate.waiting_on ?? 'the reason is unknown'}`}
      >
        <p>{fleetUpdate.version} is offered to no more hosts. Check what failed, then retry, resume or cancel.</p>
        <ul>
          {failed.map(({ host_id, state, reason, waiting_on, job_id }) => (
            <li key={host_id} className="row">
              <HostLink id={host_id} /> {state}: {reason ?? waiting_on}
              {job_id && (
                <Link to="/jobs/$id" params={{ id: job_id }} className="link">
                  job
                </Link>
              )}
              {job_id && withJob.length > 1 && host?.host_id !== host_id && (
                <button
                  type="button"
                  className="button quiet small"
                  onClick={() => {
                    setChosen(host_id)
                  }}
                >
                  Show log
                </button>
              )}
            </li>
          ))}
        </ul>
      </Notice>
      {host?.job_id && <FailedJobLog key={host.job_id} id={host.job_id} />}
    </>
  )
}

function FailedJobLog({ id }: { id: string }) {
  const job = useQuery({ ...liveQuery(liveJob(id)), select: ({ body }) => body })
  return (
    <div className="short-log">
      <Loaded query={job} rows={4}>
        {(data) => <LogCard job={data} />}
      </Loaded>
    </div>
  )
}
