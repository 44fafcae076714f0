/** The page of jobs, newest first. */

import { useNavigate, useSearch } from '@tanstack/react-router'

import type { JobFilter } from '../api/jobs'
import { jobList } from '../api/jobs'
import { useList } from '../api/lists'
import { JOB_KINDS, JOB_STATES } from '../api/words'
import { Button } from '../ui/button'
import { Empty } from '../ui/command'
import { Page } from '../ui/page'
import { ListTable } from '../ui/table'
import { useHostName } from './host/host_link'
import { JOB_COLUMNS } from './jobs/job_columns'

import '../styles/hosts.css'

export function JobsPage() {
  const filter = useSearch({ from: '/shell/jobs' })
  const navigate = useNavigate({ from: '/jobs' })
  const jobs = useList(jobList(filter))
  const filtered = Object.values(filter).some(Boolean)
  const set = (change: JobFilter) => {
    void navigate({ search: (known) => ({ ...known, ...change }), replace: true })
  }
  return (
    <Page title="Jobs">
      <JobFilters filter={filter} onChange={set} />
      <div className="card">
        <ListTable
          label="Jobs"
          columns={JOB_COLUMNS}
          list={jobs}
          id={(job) => job.id}
          empty={
            filtered ? (
              <Empty title="No job matches the filter">
                <Button
                  onPress={() => {
                    void navigate({ search: {} })
                  }}
                >
                  Clear the filter
                </Button>
              </Empty>
            ) : (
              <Empty title="There are no jobs" command="muster jobs run --all-hosts -f --wait -- /usr/bin/uptime" />
            )
          }
        />
      </div>
    </Page>
  )
}

function JobFilters({ filter, onChange }: { filter: JobFilter; onChange: (change: JobFilter) => void }) {
  return (
    <search className="filters" aria-label="Filter jobs">
      <Choice
        name="State"
        all="Any state"
        words={JOB_STATES}
        value={filter.state}
        onChange={(state) => {
          onChange({ state })
        }}
      />
      <Choice
        name="Kind"
        all="Any kind"
        words={JOB_KINDS}
        value={filter.kind}
        onChange={(kind) => {
          onChange({ kind })
        }}
      />
      {filter.host && (
        <HostFilter
          id={filter.host}
          onRemove={() => {
            onChange({ host: undefined })
          }}
        />
      )}
    </search>
  )
}

function HostFilter({ id, onRemove }: { id: string; onRemove: () => void }) {
  const name = useHostName(id)
  return (
    <Button look="small" aria-label={`Remove host ${name}`} onPress={onRemove}>
      host {name} ×
    </Button>
  )
}

interface ChoiceProps {
  name: string
  all: string
  words: string[]
  value: string | undefined
  onChange: (value: string | undefined) => void
}

function Choice({ name, all, words, value, onChange }: ChoiceProps) {
  return (
    <select
      className={value ? 'input chosen' : 'input'}
      aria-label={name}
      value={value ?? ''}
      onChange={(event) => {
        onChange(event.target.value || undefined)
      }}
    >
      <option value="">{all}</option>
      {words.map((word) => (
        <option key={word} value={word}>
          {word.replaceAll('_', ' ')}
        </option>
      ))}
    </select>
  )
}
