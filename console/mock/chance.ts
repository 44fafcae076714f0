/** Chance that comes out the same each time, ids, and times. */

export class Chance {
  constructor(private seed: number) {}

  /** From 0 up to 1. */
  next(): number {
    this.seed = (Math.imul(this.seed, 1_664_525) + 1_013_904_223) >>> 0
    return this.seed / 2 ** 32
  }

  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }

  of<T>(choices: readonly T[]): T {
    const chosen = choices[this.below(choices.length)]
    if (chosen === undefined) throw new Error('nothing to choose from')
    return chosen
  }
}

const LETTERS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** Those of hosts go before: they are the same in each state. */
let made = 1_000_000

/** An id of a kind, such as `host_01KJQ…`; later ones sort behind. */
export function id(kind: string, number = ++made): string {
  let rest = number
  let text = ''
  for (let at = 0; at < 8; at++) {
    text = (LETTERS[rest % 32] ?? '0') + text
    rest = Math.floor(rest / 32)
  }
  return `${kind}_01KJQ6PSG0DRSNYJN0${text}`
}

export function hex(chance: Chance, length: number): string {
  return Array.from({ length }, () => chance.below(16).toString(16)).join('')
}

/** So many seconds ago. */
export function ago(seconds: number): string {
  return new Date(Date.now() - seconds * 1_000).toISOString().replace(/\.\d+/, '')
}
