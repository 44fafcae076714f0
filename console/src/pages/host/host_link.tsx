/** A host by its name, as far as the names are known, and the way to it. */

import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useState } from 'react'

import { hostName, knownHostsQuery } from '../../api/hosts'

/** Names are loaded with all hosts, which can be megabytes: first comes what the page itself needs. */
const PATIENCE = 1_500

export function useHostName(id: string): string {
  const [patient, setPatient] = useState(true)
  useEffect(() => {
    const timer = setTimeout(() => {
      setPatient(false)
    }, PATIENCE)
    return () => {
      clearTimeout(timer)
    }
  }, [])
  const { data } = useQuery({ ...knownHostsQuery, enabled: !patient, select: (hosts) => hostName(hosts, id) })
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
