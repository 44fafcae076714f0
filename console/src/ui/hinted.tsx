/** Tooltips, on hover and focus. They use the popover API, so nothing covers them and they stay within the window. */

import { useRef, type KeyboardEvent, type ReactNode } from 'react'

interface HintedProps {
  hint: string
  /** Id of the tooltip, for `aria-describedby`. */
  id?: string
  /** Whether to make the content focusable, because it is not by itself. */
  focusable?: boolean
  children: ReactNode
}

const GAP = 6

export function Hinted({ hint, id, focusable = false, children }: HintedProps) {
  const around = useRef<HTMLSpanElement>(null)
  const bubble = useRef<HTMLSpanElement>(null)
  const show = () => {
    if (around.current && bubble.current) place(bubble.current, around.current.getBoundingClientRect())
  }
  const hide = () => {
    bubble.current?.hidePopover()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') hide()
  }
  return (
    // The span only listens to the mouse and the focus.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <span
      ref={around}
      className="hinted"
      // The tooltip must be available without a mouse, too.
      // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={focusable ? 0 : undefined}
      onMouseEnter={show}
      onMouseLeave={hide}
      onFocus={show}
      onBlur={hide}
      onKeyDown={onKeyDown}
    >
      {children}
      <span ref={bubble} className="hint" role="tooltip" id={id} popover="manual">
        {hint}
      </span>
    </span>
  )
}

function place(bubble: HTMLElement, { left, top, bottom }: DOMRect): void {
  bubble.showPopover()
  const { width, height } = bubble.getBoundingClientRect()
  const below = bottom + GAP + height < innerHeight
  bubble.style.left = `${Math.max(GAP, Math.min(left, innerWidth - width - GAP))}px`
  bubble.style.top = `${below ? bottom + GAP : top - GAP - height}px`
}
