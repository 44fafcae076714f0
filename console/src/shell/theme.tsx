/** The theme: light, dark, or the system's. The browser stores it, and theme.js sets it before the first paint. */

import { useState } from 'react'

const KEY = 'muster-theme'
const THEMES = ['system', 'light', 'dark'] as const
type Theme = (typeof THEMES)[number]

function chosen(): Theme {
  return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'system'
}

function choose(theme: Theme): void {
  if (theme === 'system') {
    localStorage.removeItem(KEY)
    delete document.documentElement.dataset.theme
  } else {
    localStorage.setItem(KEY, theme)
    document.documentElement.dataset.theme = theme
  }
}

export function ThemeChoice() {
  const [theme, setTheme] = useState(chosen)
  return (
    <select
      className="theme"
      aria-label="Theme"
      value={theme}
      onChange={(event) => {
        const next = event.target.value as Theme
        choose(next)
        setTheme(next)
      }}
    >
      {THEMES.map((each) => (
        <option key={each} value={each}>
          {each.charAt(0).toUpperCase() + each.slice(1)}
        </option>
      ))}
    </select>
  )
}
