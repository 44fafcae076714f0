/** The page of all hosts: filtered while typing, selected, and acted on. */

import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo, useState } from 'react'

import { hostsQuery, type Hosts } from '../api/hosts'
import { liveQuery } from '../api/live'
import { liveOverview } from '../api/overview'
import { filterHosts, isEmpty, selectorOf, type HostFilter } from '../logic/host_filter'
import { counted } from '../logic/sizes'
import { Button } from '../ui/button'
import { Empty } from '../ui/command'
import { Loaded } from '../ui/loaded'
import { Page } from '../ui/page'
import { HostActions } from './hosts/host_actions'
import { HostFilters } from './hosts/host_filters'
import { HostGrid } from './hosts/host_grid'

import '../styles/hosts.css'

export function HostsPage() {
  const hosts = useQuery(hostsQuery)
  return (
    <Page
      title="Hosts"
      actions={
        <Link to="/enrollment" className="button">
          Enroll hosts
        </Link>
      }
    >
      <Loaded query={hosts} rows={14}>
        {(data) => <HostList hosts={data} />}
      </Loaded>
    </Page>
  )
}

function HostList({ hosts }: { hosts: Hosts }) {
  const filter = useSearch({ from: '/shell/hosts' })
  const navigate = useNavigate({ from: '/hosts' })
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const newest = useQuery({ ...liveQuery(liveOverview), select: ({ body }) => body.newest_release }).data ?? null
  const shown = useMemo(() => filterHosts(hosts.items, filter), [hosts.items, filter])
  const chosen = useMemo(() => hosts.items.filter((host) => selected.has(host.id)), [hosts.items, selected])
  const setFilter = (change: Partial<HostFilter>) => {
    void navigate({ search: (known) => ({ ...known, ...change }), replace: true })
  }
  if (hosts.items.length === 0) {
    return (
      <Empty title="No host has joined yet" command="muster token create">
        <p>A host joins with an enrollment token. This command prints what to run on the host:</p>
      </Empty>
    )
  }
  return (
    <>
      <HostFilters hosts={hosts.items} filter={filter} onChange={setFilter} />
      <div className="host-count">
        <span role="status">
          {counted(shown.length, 'host')}
          {hosts.loading && ', loading more…'}
        </span>
        {chosen.length > 0 && (
          <HostActions
            hosts={chosen}
            selector={chosen.length === shown.length ? selectorOf(filter) : null}
            onClear={() => {
              setSelected(new Set())
            }}
          />
        )}
      </div>
      {shown.length === 0 ? (
        <Empty title="No host matches the filter">
          <Button
            onPress={() => {
              void navigate({ search: {} })
            }}
          >
            Clear the filter
          </Button>
        </Empty>
      ) : (
        <HostGrid hosts={shown} newest={newest} selected={selected} onSelect={setSelected} all={isEmpty(filter)} />
      )}
    </>
  )
}
