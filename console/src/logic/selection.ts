/** The selection of rows in a list, by id. */

interface HasId {
  id: string
}

export function toggled(selected: ReadonlySet<string>, id: string | undefined): ReadonlySet<string> {
  const next = new Set(selected)
  if (id !== undefined && !next.delete(id)) next.add(id)
  return next
}

/** Adds all rows between two positions, in either order. */
export function rangeBetween(
  rows: readonly HasId[],
  selected: ReadonlySet<string>,
  from: number,
  to: number,
): ReadonlySet<string> {
  const [first, last] = from < to ? [from, to] : [to, from]
  return new Set([...selected, ...rows.slice(first, last + 1).map(({ id }) => id)])
}
