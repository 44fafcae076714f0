/** Ids as people can tell them apart: the kind, and the end. */

export function short(id: string): string {
  return id.length > 16 ? `${id.slice(0, 4)}…${id.slice(-6)}` : id
}
