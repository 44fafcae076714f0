/** Around everything: whether the server answers. */

import { Outlet, useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'

import { useConnection } from '../api/connection'
import { Icon } from '../ui/icons'

export function Root() {
  const { down } = useConnection()
  const router = useRouter()
  useEffect(() => {
    // What could not be opened meanwhile is opened now.
    if (!down) void router.invalidate()
  }, [down, router])
  return (
    <>
      <div role="status">
        {down && (
          <div className="away">
            <Icon name="warning" />
            The server cannot be reached. This page comes back by itself as soon as it answers.
          </div>
        )}
      </div>
      <Outlet />
    </>
  )
}
