// Memory that each task is expected to need, beside what this computer has.
import { Text, Title } from '@mantine/core'
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { ModelNeed } from '../../../../shared/modelDetails.ts'
import { formatBytes } from '../../format.ts'
import shared from '../../ui/shared.module.css'
import css from './MemoryNeeds.module.css'

const taskTitles: Readonly<Record<ModelNeed['task'], string>> = {
  describe: 'Describe images',
  align: 'Align in a run',
  export: 'Export merged',
}

interface MemoryNeedsProps {
  readonly needs: readonly ModelNeed[]
  readonly machineBytes: number
}

export function MemoryNeeds({ needs, machineBytes }: MemoryNeedsProps): ReactNode {
  return (
    <section aria-labelledby="needs-title">
      <Title order={3} size="h5" id="needs-title" mb={2}>
        Memory it needs
      </Title>
      <Text size="sm" className="quiet" mb={8}>
        Planned for the usual settings, not measured. This computer has {formatBytes(machineBytes)}.
      </Text>
      <ul className={css.needs}>
        {needs.map(({ task, bytes, how }) => {
          const fits = bytes <= machineBytes
          const Icon = fits ? IconCheck : IconAlertTriangle
          return (
            <li key={task}>
              <div className={css.need}>
                <strong>{taskTitles[task]}</strong>
                <span className={css.amount}>{formatBytes(bytes)}</span>
                <span className={shared.finding} data-state={fits ? 'right' : 'wrong'}>
                  <Icon size={15} aria-hidden="true" />
                  {fits ? 'fits' : 'more than this computer has'}
                </span>
              </div>
              <div className={css.bar} aria-hidden="true">
                <div data-fits={fits} style={{ width: `${Math.min(1, bytes / machineBytes) * 100}%` }} />
              </div>
              <span className="quiet">{how}</span>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
