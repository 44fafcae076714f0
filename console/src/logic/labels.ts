/** Labels as the command line writes them. */

/** `KEY=VALUE` and `KEY-`, apart by spaces, as a change; or what is wrong with it. */
export function parseLabelChanges(text: string): { labels: Record<string, string | null> } | { error: string } {
  const labels: Record<string, string | null> = {}
  for (const word of text.split(/[\s,]+/).filter(Boolean)) {
    const found = /^([\w./-]+?)(?:=(\S*)|(-))$/.exec(word)
    if (!found?.[1]) return { error: `${word} is neither KEY=VALUE nor KEY-.` }
    labels[found[1]] = found[3] ? null : (found[2] ?? '')
  }
  return Object.keys(labels).length > 0 ? { labels } : { error: 'Say at least one label.' }
}

/** `KEY=VALUE` only. */
export function parseLabels(text: string): { labels: Record<string, string> } | { error: string } {
  const labels: Record<string, string> = {}
  for (const word of text.split(/[\s,]+/).filter(Boolean)) {
    const at = word.indexOf('=')
    if (at < 1) return { error: `${word} is not KEY=VALUE.` }
    labels[word.slice(0, at)] = word.slice(at + 1)
  }
  return { labels }
}

/** The change that makes labels what they shall be: what is gone is `null`. */
export function labelDifference(
  were: Record<string, string>,
  shall: Record<string, string>,
): Record<string, string | null> {
  const gone = Object.keys(were).filter((key) => !(key in shall))
  return { ...Object.fromEntries(gone.map((key) => [key, null])), ...shall }
}
