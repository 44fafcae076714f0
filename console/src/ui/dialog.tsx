/** Modal dialogs. React Aria traps the focus, restores it, and closes on Escape. */

import { useEffect, useRef, type ReactNode } from 'react'
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components'

import { Button } from './button'
import { ProblemNotice } from './notice'

interface DialogProps {
  title: string
  narrow?: boolean
  onClose: () => void
  children: ReactNode
}

export function Dialog({ title, narrow = false, onClose, children }: DialogProps) {
  return (
    <ModalOverlay
      className="veil"
      isOpen
      isDismissable
      onOpenChange={(open) => {
        if (!open) onClose()
      }}
    >
      <Modal className={narrow ? 'dialog narrow' : 'dialog'}>
        <AriaDialog className="dialog-body">
          <Heading slot="title" level={2}>
            {title}
          </Heading>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}

interface FormDialogProps extends DialogProps {
  /** The text of the submit button. */
  submit: string
  look?: string
  /** Why the form cannot be submitted yet. */
  reason?: string | null
  busy?: boolean
  error?: unknown
  onSubmit: () => void
}

/** A dialog with a form and a submit button. */
export function FormDialog({
  submit,
  look = 'primary',
  reason,
  busy,
  error,
  onSubmit,
  children,
  ...dialog
}: FormDialogProps) {
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    // The first field gets the focus.
    form.current?.querySelector<HTMLElement>('input, select')?.focus()
  }, [])
  return (
    <Dialog {...dialog}>
      <form
        ref={form}
        className="stack"
        onSubmit={(event) => {
          event.preventDefault()
          if (!reason && !busy) onSubmit()
        }}
      >
        {children}
        <ProblemNotice error={error} />
        <div className="dialog-foot">
          <Button look="quiet" onPress={dialog.onClose}>
            Close
          </Button>
          <Button look={look} type="submit" reason={reason} busy={busy}>
            {submit}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
