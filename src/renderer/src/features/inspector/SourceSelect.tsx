// The run whose checkpoints are asked, or a model by itself.
import { Select } from '@mantine/core'
import type { ReactNode } from 'react'
import type { ModelId, RunId } from '../../../../shared/domain.ts'
import type { ModelView, RunView } from '../../../../shared/runView.ts'
import { Later } from '../../ui/Later.tsx'
import css from './SourceSelect.module.css'

export interface SourceSelectProps {
  readonly runs: readonly RunView[]
  readonly models: readonly ModelView[]
  readonly value: string | null
  readonly onRun: (runId: RunId) => void
  readonly onModel: (modelId: ModelId) => void
}

export function SourceSelect({ runs, models, value, onRun, onModel }: SourceSelectProps): ReactNode {
  if (runs.length + models.length === 0) return null
  const ofRuns = runs.map(({ runId, name }) => ({ value: `run ${runId}`, label: name, choose: () => onRun(runId) }))
  const ofModels = models.map(({ modelId, name }) => ({
    ...{ value: `model ${modelId}`, label: name, choose: () => onModel(modelId) },
  }))
  const plain = (items: typeof ofRuns) => items.map(({ value: id, label }) => ({ value: id, label }))
  return (
    <div className={css.source}>
      <Later>
        <Select
          size="sm"
          aria-label="Run or model"
          allowDeselect={false}
          data={[
            ...(ofRuns.length > 0 ? [{ group: 'Runs', items: plain(ofRuns) }] : []),
            ...(ofModels.length > 0 ? [{ group: 'Models by themselves', items: plain(ofModels) }] : []),
          ]}
          value={value}
          onChange={(next) => [...ofRuns, ...ofModels].find((one) => one.value === next)?.choose()}
        />
      </Later>
    </div>
  )
}
