/** Who did something: a person or a program by name, else by a short id; the whole id on hover. */

import { short } from '../logic/ids'

export function Actor({ actor, name }: { actor: string; name?: string | undefined }) {
  return name ? (
    <span title={actor}>{name}</span>
  ) : (
    <code title={actor}>{short(actor.replace(/^(user|key):/, ''))}</code>
  )
}
