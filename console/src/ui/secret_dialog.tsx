/** A dialog that shows a secret once. Only its button closes it, and the secret then leaves the page. */

import type { ReactNode } from 'react'
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components'

import { Button } from './button'
import { Command } from './command'
import { Notice } from './notice'

interface SecretDialogProps {
  title: string
  /** The text to copy. */
  secret: string
  children?: ReactNode
  onClose: () => void
}

export function SecretDialog({ title, secret, children, onClose }: SecretDialogProps) {
  return (
    <ModalOverlay className="veil" isOpen isKeyboardDismissDisabled>
      <Modal className="dialog">
        <AriaDialog className="dialog-body">
          <Heading slot="title" level={2}>
            {title}
          </Heading>
          <Notice tone="warn" title="This secret is not shown again. Copy it before you close this dialog." />
          <Command line={secret} />
          {children}
          <div className="dialog-foot">
            <Button look="primary" onPress={onClose}>
              I have copied it
            </Button>
          </div>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  )
}
