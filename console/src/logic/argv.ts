/** Command lines: splits typed text into arguments, with quotes, but without a shell: nothing is expanded. */

/** The arguments, or what is wrong with the line. */
export function parseArgv(line: string): { argv: string[] } | { error: string } {
  const argv: string[] = []
  let word: string | null = null
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const letter = line.charAt(at)
    if (quote) {
      if (letter === quote) quote = ''
      else word = (word ?? '') + (letter === '\\' && quote === '"' ? line.charAt(++at) : letter)
    } else if (letter === "'" || letter === '"') {
      quote = letter
      word ??= ''
    } else if (/\s/.test(letter)) {
      if (word !== null) argv.push(word)
      word = null
    } else word = (word ?? '') + (letter === '\\' ? line.charAt(++at) : letter)
  }
  if (quote) return { error: `The quote ${quote} is not closed.` }
  if (word !== null) argv.push(word)
  return argv.length > 0 ? { argv } : { error: 'Enter a program.' }
}

/** Formats arguments as a line, with quotes where they are needed. */
export function formatArgv(argv: readonly string[]): string {
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ')
}
