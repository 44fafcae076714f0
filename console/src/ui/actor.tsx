/** Who did something: a person by name, a program by the name of its key, else by a short id; the whole id on hover. */

import { short } from '../logic/ids'

export function Actor({ actor, name }: { actor: string; name?: string | undefined }) {
  return name ? (
    <span title={actor}>{actor.startsWith('key:') ? `key ${name}` : name}</span>
  ) : (
    <code title={actor}>{short(actor.replace(/^(user|key):/, ''))}</code>
  )
}
