// What went wrong and what to do, at the place that it is about.
import { Alert, type AlertProps } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { ErrorRecord } from '../../../shared/errors.ts'
import css from './ErrorAlert.module.css'

interface ErrorAlertProps extends Omit<AlertProps, 'title' | 'color' | 'variant' | 'icon' | 'className'> {
  readonly error: ErrorRecord
}

export function ErrorAlert({ error: { message, remedy, where }, children, ...props }: ErrorAlertProps): ReactNode {
  return (
    <Alert
      color="red"
      variant="light"
      className={css.error}
      icon={<IconAlertTriangle size={18} />}
      title={message}
      {...props}
    >
      {remedy}
      {where && <div className="notice-where">{where}</div>}
      {children}
    </Alert>
  )
}
