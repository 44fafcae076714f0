/** The actor of a change: a user by name, an API key by its name, or a short id. The full id is the tooltip. */

import { short } from '../logic/ids'

export function Actor({ actor, name }: { actor: string; name?: string | undefined }) {
  return name ? (
    <span title={actor}>{actor.startsWith('key:') ? `key ${name}` : name}</span>
  ) : (
    <code title={actor}>{short(actor.replace(/^(user|key):/, ''))}</code>
  )
}
