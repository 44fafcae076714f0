/** Formats sizes in bytes and counts for people. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** `12 B`, `68.4 KiB`, `100 GiB`. */
export function bytes(amount: number): string {
  const power = amount < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(amount) / 10))
  const value = amount / 1024 ** power
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${UNITS[power] ?? ''}`
}

/** `10 000`, with thin spaces between thousands. */
export function count(amount: number): string {
  return String(amount).replace(/\B(?=(\d{3})+$)/g, '\u202f')
}

/** `1 host`, `3 hosts`. */
export function counted(amount: number, one: string, many = `${one}s`): string {
  return `${count(amount)} ${amount === 1 ? one : many}`
}
