/** What happens outside of the browser: the server goes and comes, hosts join, releases are published. See tests/fleet/console.rs. */

import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

/** Asks for one thing, and waits until it has happened. */
export async function outside(line: string): Promise<string> {
  const socket = connect(Number(wanted('MUSTER_OUTSIDE')), '127.0.0.1')
  socket.write(`${line}\n`)
  return (await text(socket)).trim()
}

/** What the test of real hosts has told. */
export function wanted(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: cargo xtask test starts the server and hosts that this needs`)
  return value
}
