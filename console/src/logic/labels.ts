/** Labels, written as on the command line. */

/** Parses `KEY=VALUE` and `KEY-`, separated by spaces, as a change; or what is wrong with the text. */
export function parseLabelChanges(text: string): { labels: Record<string, string | null> } | { error: string } {
  const labels: Record<string, string | null> = {}
  for (const word of text.split(/[\s,]+/).filter(Boolean)) {
    const found = /^([\w./-]+?)(?:=(\S*)|(-))$/.exec(word)
    if (!found?.[1]) return { error: `${word} is neither KEY=VALUE nor KEY-.` }
    labels[found[1]] = found[3] ? null : (found[2] ?? '')
  }
  return Object.keys(labels).length > 0 ? { labels } : { error: 'Enter at least one label.' }
}

/** Parses `KEY=VALUE` pairs only. */
export function parseLabels(text: string): { labels: Record<string, string> } | { error: string } {
  const labels: Record<string, string> = {}
  for (const word of text.split(/[\s,]+/).filter(Boolean)) {
    const at = word.indexOf('=')
    if (at < 1) return { error: `${word} is not KEY=VALUE.` }
    labels[word.slice(0, at)] = word.slice(at + 1)
  }
  return { labels }
}

/** The change that turns one set of labels into another. `null` removes a label. */
export function labelDifference(
  before: Record<string, string>,
  after: Record<string, string>,
): Record<string, string | null> {
  const removed = Object.keys(before).filter((key) => !(key in after))
  return { ...Object.fromEntries(removed.map((key) => [key, null])), ...after }
}
