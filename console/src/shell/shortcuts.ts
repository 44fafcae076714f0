/** Keyboard shortcuts, which work on every page, but not while someone types into a field. */

import { useNavigate } from '@tanstack/react-router'
import { useEffect, useEffectEvent, useRef } from 'react'

import { PAGES } from './navigation'

interface Openers {
  palette: () => void
  shortcuts: () => void
  /** A dialog that opens and does not have the focus yet. It gets what is typed meanwhile. */
  coming?: { type: (letter: string) => void; close: () => void } | undefined
}

/** Within this time, in milliseconds, a letter belongs to the `g` before it. */
const SEQUENCE_TIME = 1_200

export function useShortcuts({ palette, shortcuts, coming }: Openers): void {
  const navigate = useNavigate()
  const begun = useRef(0)
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      take(event, palette)
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
    if (coming) {
      if (event.key === 'Escape') take(event, coming.close)
      // Enter would press the button again that opened the dialog.
      else if (event.key === 'Enter') event.preventDefault()
      else if (event.key.length === 1)
        take(event, () => {
          coming.type(event.key)
        })
      return
    }
    const page =
      performance.now() - begun.current < SEQUENCE_TIME ? PAGES.find(({ letter }) => letter === event.key) : undefined
    begun.current = event.key === 'g' ? performance.now() : 0
    if (page) take(event, () => void navigate({ to: page.to }))
    else if (event.key === '?') take(event, shortcuts)
    else if (event.key === '/') take(event, focusSearch)
  })
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      onKey(event)
    }
    addEventListener('keydown', listen)
    return () => {
      removeEventListener('keydown', listen)
    }
  }, [])
}

function take(event: KeyboardEvent, then: () => void): void {
  event.preventDefault()
  then()
}

/** Focuses the search field of the page. */
function focusSearch(): void {
  document.querySelector<HTMLInputElement>('main input[type=search]')?.focus()
}

/** Whether a key goes to a field, or to an open dialog. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.matches('input:not([type=checkbox]), textarea, select') || target.closest('[role=dialog]') !== null
}

/** The shortcuts, for the list that `?` opens. */
export const SHORTCUTS: [keys: string[], what: string][] = [
  [['Ctrl', 'K'], 'Find hosts and pages (⌘ K on a Mac)'],
  [['?'], 'Show this list'],
  [['/'], 'Search on this page'],
  ...PAGES.map(({ letter, title }): [string[], string] => [['g', letter], `Go to ${title}`]),
  [['↑', '↓'], 'In the list of hosts: move'],
  [['Space'], 'In the list of hosts: select; with Shift: select a range'],
  [['Ctrl', 'A'], 'In the list of hosts: select all matching hosts'],
  [['Enter'], 'In the list of hosts: open; in the search of a log: next match, with Shift: previous match'],
  [['Esc'], 'Close a dialog'],
]
