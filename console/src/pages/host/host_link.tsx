/** A host by its name, as far as the names are known, and the way to it. */

import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { hostName, hostsQuery } from '../../api/hosts'

export function useHostName(id: string): string {
  const { data } = useQuery({ ...hostsQuery, refetchInterval: false, select: (hosts) => hostName(hosts, id) })
  return data ?? id
}

/** `name` where it is known already. */
export function HostLink({ id, name: known }: { id: string; name?: string }) {
  const found = useHostName(id)
  const name = known ?? found
  return (
    <Link to="/hosts/$id" params={{ id }} className={name === id ? 'link mono' : 'link'}>
      {name === id ? `${id.slice(0, 8)}…${id.slice(-6)}` : name}
    </Link>
  )
}
