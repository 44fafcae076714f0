/** Short ids: the first and the last letters. */

export function short(id: string): string {
  return id.length > 16 ? `${id.slice(0, 4)}…${id.slice(-6)}` : id
}
