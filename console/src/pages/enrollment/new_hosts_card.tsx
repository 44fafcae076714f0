/** The newest hosts. The list refreshes itself, so that a host appears as soon as it has joined. */

import { useQuery } from '@tanstack/react-query'

import { api, body } from '../../api/client'
import type { Host, Page } from '../../api/nouns'
import { Online } from '../../ui/badge'
import { Empty } from '../../ui/command'
import { Loaded } from '../../ui/loaded'
import { Card } from '../../ui/page'
import { Table, type Column } from '../../ui/table'
import { Time } from '../../ui/time'
import { HostLink } from '../host/host_link'

const SOME = 5
const REFRESH = 3_000

const COLUMNS: Column<Host>[] = [
  { name: 'Host', cell: ({ id, name }) => <HostLink id={id} name={name} /> },
  { name: 'State', cell: ({ online }) => <Online online={online} /> },
  {
    name: 'System',
    wide: true,
    spare: true,
    cell: ({ facts }) => <span className="soft">{facts.os_version ?? facts.os}</span>,
  },
  { name: 'Agent', cell: ({ agent }) => <span className="chip">{agent?.version ?? 'none'}</span> },
  { name: 'Joined', cell: ({ enrolled_at }) => <Time at={enrolled_at} /> },
]

export function NewHostsCard() {
  const hosts = useQuery({
    queryKey: ['hosts', 'newest'],
    // The list is newest first.
    queryFn: async ({ signal }) =>
      (await body(api.GET('/api/v1/hosts', { params: { query: { limit: SOME } }, signal }))) as Page<Host>,
    refetchInterval: REFRESH,
  })
  return (
    <Card title="Newest hosts" plain>
      <Loaded query={hosts} rows={3}>
        {({ items }) =>
          items.length > 0 ? (
            <Table label="Newest hosts" columns={COLUMNS} rows={items} id={({ id }) => id} />
          ) : (
            <Empty title="No host has joined yet" command="muster token create">
              <p>Create a token and run its command on a host. The host then appears here.</p>
            </Empty>
          )
        }
      </Loaded>
    </Card>
  )
}
