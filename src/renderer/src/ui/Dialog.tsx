// A dialog: opened by being drawn, closed by being taken away. Focus goes back to where it was.
import { Modal, type ModalProps } from '@mantine/core'
import { type ReactNode, useEffect, useRef } from 'react'

interface DialogProps extends Omit<ModalProps, 'opened' | 'children'> {
  readonly children: ReactNode
}

export function Dialog({ children, ...props }: DialogProps): ReactNode {
  useFocusComesBack()
  return (
    <Modal opened returnFocus={false} closeButtonProps={{ 'aria-label': 'Close' }} {...props}>
      {children}
    </Modal>
  )
}

/** While it is drawn the focus is elsewhere; after it, where it was before, as long as that is still in the page. */
function useFocusComesBack(): void {
  const before = useRef<Element | null>(null)
  // While it is drawn for the first time: its own field has not taken the focus yet.
  before.current ??= document.activeElement
  useEffect(
    () => () => {
      const element = before.current
      // Once the dialog is out of the page, which holds the focus until then.
      setTimeout(() => {
        if (element instanceof HTMLElement && element.isConnected && isLost()) element.focus({ preventScroll: true })
      })
    },
    [],
  )
}

/** Nothing else took the focus meanwhile. */
function isLost(): boolean {
  return document.activeElement === null || document.activeElement === document.body
}
