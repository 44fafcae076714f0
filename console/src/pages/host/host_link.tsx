/** A link to a host, with its name if it is known and its id if not. */

import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

import { hostName, knownHostsQuery } from '../../api/hosts'

/** Names come with the list of all hosts, which can be megabytes. This delay lets the page load its own data first. */
const NAMES_DELAY = 1_500

export function useHostName(id: string): string {
  const [delayed, setDelayed] = useState(true)
  useEffect(() => {
    const timer = setTimeout(() => {
      setDelayed(false)
    }, NAMES_DELAY)
    return () => {
      clearTimeout(timer)
    }
  }, [])
  const { data } = useQuery({ ...knownHostsQuery, enabled: !delayed, select: (hosts) => hostName(hosts, id) })
  return data ?? id
}

/** A link to a host; `name` saves the lookup if the caller knows it. */
export function HostLink({ id, name: known }: { id: string; name?: string }) {
  const found = useHostName(id)
  const name = known ?? found
  return (
    <Link to="/hosts/$id" params={{ id }} className={name === id ? 'link mono' : 'link'}>
      {name === id ? `${id.slice(0, 8)}…${id.slice(-6)}` : name}
    </Link>
  )
}
