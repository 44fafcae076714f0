/** Buttons. A disabled button can still be focused, and its tooltip gives the reason. */

import { useId, type ButtonHTMLAttributes, type ReactNode } from 'react'

import type { Actions } from '../api/nouns'
import { Hinted } from './hinted'

type Native = Pick<
  ButtonHTMLAttributes<HTMLButtonElement>,
  'type' | 'aria-label' | 'aria-expanded' | 'aria-controls' | 'title'
>

export interface ButtonProps extends Native {
  /** `primary`, `danger`, `quiet`, `small`, `icon`, as classes. */
  look?: string
  onPress?: () => void
  /** Why the button is disabled. */
  reason?: string | null
  /** Whether its action is running. */
  busy?: boolean
  children: ReactNode
}

export function Button({
  look = '',
  onPress,
  reason,
  busy = false,
  type = 'button',
  children,
  ...native
}: ButtonProps) {
  const id = useId()
  const off = Boolean(reason) || busy
  const button = (
    <button
      {...native}
      // A disabled submit button must not submit.
      type={off ? 'button' : type}
      className={`button ${look}`}
      aria-disabled={off || undefined}
      aria-busy={busy || undefined}
      aria-describedby={reason ? id : undefined}
      onClick={off ? undefined : onPress}
    >
      {children}
    </button>
  )
  if (!reason) return button
  return (
    <Hinted hint={reason} id={id}>
      {button}
    </Hinted>
  )
}

/** Why an action is not allowed; `null` if it is allowed. The server decides. */
export function whyNot(resource: Actions | undefined, action: string): string | null {
  // A server that is older than this console does not list actions.
  const { allowed = [], why_not = {} } = (resource ?? {}) as Partial<Actions>
  if (allowed.includes(action)) return null
  return why_not[action] ?? 'The server does not offer this action.'
}

/** A button for an action of a resource. It is disabled unless the server allows the action. */
export function ActionButton({ of, action, ...button }: ButtonProps & { of: Actions | undefined; action: string }) {
  return <Button {...button} reason={whyNot(of, action)} />
}
