/** Waiting, with an end. */

/** Resolves after a time, or at once when it is no longer wanted. */
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

/** How long to wait after so many failures: doubled each time up to a cap, and spread so that many pages do not come at once. */
export function backoff(failures: number, cap: number, random: () => number = Math.random): number {
  const longest = Math.min(cap, 1_000 * 2 ** (failures - 1))
  return longest * (0.5 + random() / 2)
}

/** Resolves when the page can be seen, or after a time: a hidden tab looks seldom. */
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
