/** Which rows of a list are selected, by id. */

interface Identified {
  id: string
}

export function toggled(selected: ReadonlySet<string>, id: string | undefined): ReadonlySet<string> {
  const next = new Set(selected)
  if (id !== undefined && !next.delete(id)) next.add(id)
  return next
}

/** With all rows from one to another, whichever comes first. */
export function rangeBetween(
  rows: readonly Identified[],
  selected: ReadonlySet<string>,
  from: number,
  to: number,
): ReadonlySet<string> {
  const [first, last] = from < to ? [from, to] : [to, from]
  return new Set([...selected, ...rows.slice(first, last + 1).map(({ id }) => id)])
}
