/** Badges: a state as a word with a color. The color only repeats what the word says. */

const TONES: Record<string, string> = {
  online: 'good', succeeded: 'good', completed: 'good', published: 'good', closed: 'good', open_token: 'good', committed: 'good',
  running: 'busy', offered: 'busy', accepted: 'busy', verifying: 'busy', planning: 'busy', half_open: 'warn', paused: 'warn',
  presumed_lost: 'warn', lost: 'warn', interrupted: 'warn', expired: 'warn', quarantined: 'bad', failed: 'bad', rejected: 'bad',
  halted: 'bad', yanked: 'bad', open: 'bad', rolled_back: 'bad', alert: 'bad', admin: 'busy',
} // prettier-ignore

/** A badge. `tone` overrides the color where a word has two meanings: an open token is good, an open circuit breaker is not. */
export function Badge({ state, tone = TONES[state] ?? '' }: { state: string; tone?: string }) {
  return <span className={`badge ${tone}`}>{state.replaceAll('_', ' ')}</span>
}

export function Online({ online }: { online: boolean }) {
  return <Badge state={online ? 'online' : 'offline'} />
}

export function Labels({ labels }: { labels: Record<string, string> }) {
  const entries = Object.entries(labels)
  if (entries.length === 0) return <span className="faint">none</span>
  return (
    <span className="labels">
      {entries.map(([key, value]) => (
        <span className="chip" key={key}>
          {key}={value}
        </span>
      ))}
    </span>
  )
}
