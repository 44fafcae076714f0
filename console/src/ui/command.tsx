/** A command with a copy button, and empty states. */

import { useEffect, useRef, useState, type ReactNode } from 'react'

import { Button } from './button'
import { Icon } from './icons'

export function Command({ line }: { line: string }) {
  const code = useRef<HTMLElement>(null)
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return
    const timer = setTimeout(() => {
      setCopied(false)
    }, 2_000)
    return () => {
      clearTimeout(timer)
    }
  }, [copied])
  const copy = async () => {
    await writeClipboard(line, code.current)
    setCopied(true)
  }
  return (
    <span className="command">
      <code ref={code}>{line}</code>
      <Button look="quiet icon small" aria-label={copied ? 'Copied' : 'Copy'} onPress={() => void copy()}>
        <Icon name={copied ? 'check' : 'copy'} />
      </Button>
    </span>
  )
}

/** Copies a line. Without https there is no clipboard API; then the text is selected, so that the user can copy it. */
async function writeClipboard(line: string, shown: HTMLElement | null): Promise<void> {
  try {
    await navigator.clipboard.writeText(line)
  } catch {
    if (shown) getSelection()?.selectAllChildren(shown)
  }
}

/** An empty state: what does not exist yet, and the command that creates it. */
export function Empty({ title, command, children }: { title: string; command?: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <strong>{title}</strong>
      {children}
      {command && <Command line={command} />}
    </div>
  )
}
