/** Columns for tables of jobs. */

import { Link } from '@tanstack/react-router'

import type { Job } from '../../api/nouns'
import { jobReason, jobTitle } from '../../logic/jobs'
import { Badge } from '../../ui/badge'
import type { Column } from '../../ui/table'
import { Time } from '../../ui/time'
import { HostLink } from '../host/host_link'

export const stateColumn: Column<Job> = { name: 'State', cell: (job) => <Badge state={job.state} /> }

export const titleColumn: Column<Job> = {
  name: 'Job',
  wide: true,
  cell: (job) => (
    <div className="cut">
      <Link to="/jobs/$id" params={{ id: job.id }} className={job.kind === 'run' ? 'link mono' : 'link'}>
        {jobTitle(job)}
      </Link>
      <Reason job={job} />
    </div>
  ),
}

function Reason({ job }: { job: Job }) {
  const reason = jobReason(job)
  return reason && <div className="cut faint">{job.result ? reason : `waiting for ${reason}`}</div>
}

export const hostColumn: Column<Job> = { name: 'Host', spare: true, cell: (job) => <HostLink id={job.host_id} /> }

export const createdColumn: Column<Job> = { name: 'Created', cell: (job) => <Time at={job.created_at} /> }

export const JOB_COLUMNS: Column<Job>[] = [stateColumn, titleColumn, hostColumn, createdColumn]

/** Columns for the jobs of one host. */
export const HOST_JOB_COLUMNS: Column<Job>[] = [stateColumn, titleColumn, createdColumn]
