/** The root of all pages: shows a banner while the server cannot be reached. */

import { Outlet, useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'

import { useConnection } from '../api/connection'
import { Icon } from '../ui/icons'

export function Root() {
  const { down } = useConnection()
  const router = useRouter()
  useEffect(() => {
    // A page that could not be loaded meanwhile is loaded now.
    if (!down) void router.invalidate()
  }, [down, router])
  return (
    <>
      <div role="status">
        {down && (
          <div className="away">
            <Icon name="warning" />
            The server cannot be reached. This page reconnects automatically.
          </div>
        )}
      </div>
      <Outlet />
    </>
  )
}
