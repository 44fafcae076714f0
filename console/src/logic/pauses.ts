/** Pauses that can be aborted, and exponential backoff with jitter. */

/** Resolves after a time, or as soon as the signal aborts. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve()
      return
    }
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
}

/** The pause after this many failures, in milliseconds: it doubles up to a cap, with jitter so that pages do not retry at once. */
export function backoff(failures: number, cap: number, random: () => number = Math.random): number {
  const longest = Math.min(cap, 1_000 * 2 ** (failures - 1))
  return longest * (0.5 + random() / 2)
}

/** Resolves when the page is visible, or after a time, so that a hidden tab polls rarely. */
export async function seen(hiddenPause: number, signal: AbortSignal): Promise<void> {
  if (!document.hidden) return
  const woken = new AbortController()
  const wake = () => {
    woken.abort()
  }
  document.addEventListener('visibilitychange', wake, { once: true })
  await pause(hiddenPause, AbortSignal.any([signal, woken.signal]))
  document.removeEventListener('visibilitychange', wake)
}
