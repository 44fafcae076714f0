/** Whether the server answers. Kept in the query cache; while it does not, somebody asks until it does. */

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'

import { backoff, pause } from '../logic/pauses'
import { api, connectionKey, type Connection } from './client'

/** Whether the server is away; asks for it meanwhile, and has everything loaded anew when it is back. */
export function useConnection(): Connection {
  const client = useQueryClient()
  const { data } = useQuery<Connection>({
    queryKey: connectionKey,
    queryFn: () => ({ down: false }),
    staleTime: Infinity,
    gcTime: Infinity,
  })
  const down = data?.down ?? false
  useEffect(() => {
    if (!down) return
    const stop = new AbortController()
    void untilBack(stop.signal)
    return () => {
      stop.abort()
      void client.invalidateQueries({ predicate: (query) => query.queryKey[0] !== connectionKey[0] })
    }
  }, [client, down])
  return { down }
}

async function untilBack(signal: AbortSignal): Promise<void> {
  for (let tries = 1; !signal.aborted; tries++) {
    await pause(backoff(tries, 10_000), signal)
    // The client tells the connection what came of it.
    await api.GET('/api/v1/version', { signal }).catch(() => null)
  }
}
