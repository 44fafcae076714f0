/** Dialogs: React Aria keeps the focus inside, gives it back, and closes on Escape. */

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
  /** What its button says. */
  submit: string
  look?: string
  /** Why it cannot be submitted yet. */
  reason?: string | null
  busy?: boolean
  error?: unknown
  onSubmit: () => void
}

/** A dialog that asks for something and then does it. */
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
    // A dialog is opened to type into it.
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
