// Shown in the place of the whole app when main cannot say how things stand, on a disk that fails for example.
import { Alert, Button } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { ErrorRecord } from '../../../shared/errors.ts'
import css from './NoStart.module.css'

export function NoStart({ problem }: { readonly problem: ErrorRecord }): ReactNode {
  return (
    <main className={css.noStart}>
      <Alert color="red" variant="light" icon={<IconAlertTriangle size={18} />} title={problem.message}>
        <p>{problem.remedy}</p>
        <Button size="xs" variant="default" onClick={() => location.reload()}>
          Try again
        </Button>
      </Alert>
    </main>
  )
}
