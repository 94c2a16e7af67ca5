// One policy of several: a model or a run, one of its checkpoints, and how strongly its adapter is added.
import { Select, Slider } from '@mantine/core'
import type { ReactNode } from 'react'
import type { PolicyChoice } from '../../../../shared/describe.ts'
import type { ModelId, RunId } from '../../../../shared/domain.ts'
import type { ModelView, RunView } from '../../../../shared/runView.ts'
import { useCheckpoints } from '../../queries/describe.ts'
import { useRunDetail } from '../../queries/runs.ts'
import { checkpointName } from '../inspector/questions.ts'
import css from './PolicyFields.module.css'

export interface PolicyFieldsProps {
  /** What it is called, e.g. `Model 2`. */
  readonly label: string
  readonly runs: readonly RunView[]
  readonly models: readonly ModelView[]
  readonly value: PolicyChoice
  readonly onChange: (policy: PolicyChoice) => void
  /** Beside it, e.g. a button that takes it away. */
  readonly children?: ReactNode
}

export function PolicyFields({ label, runs, models, value, onChange, children }: PolicyFieldsProps): ReactNode {
  const runId = value.from === 'run' ? value.runId : null
  const checkpoints = useCheckpoints(runId)
  const usualStrength = useRunDetail(runId)?.config?.evaluation.strength ?? 1
  const sources = [
    {
      group: 'Runs',
      items: runs
        .filter(({ checkpointStep }) => checkpointStep !== null)
        .map(({ runId, name }) => ({ value: `run ${runId}`, label: name })),
    },
    { group: 'Models', items: models.map(({ modelId, name }) => ({ value: `model ${modelId}`, label: name })) },
  ].filter(({ items }) => items.length > 0)
  const choose = (source: string): void => {
    const [from, id] = source.split(' ')
    if (from === 'run') onChange({ from, runId: Number(id) as RunId, step: 0, strength: 1 })
    else onChange({ from: 'model', modelId: Number(id) as ModelId })
  }
  return (
    <fieldset className={css.policy}>
      <legend>{label}</legend>
      <div className={css.fields}>
        <Select
          aria-label={`${label}: run or model`}
          data={sources}
          value={value.from === 'run' ? `run ${value.runId}` : `model ${value.modelId}`}
          allowDeselect={false}
          onChange={(source) => source !== null && choose(source)}
        />
        {value.from === 'run' ? (
          <Select
            aria-label={`${label}: checkpoint`}
            data={(checkpoints ?? []).map((checkpoint) => ({
              value: `${checkpoint.step}`,
              label: `${checkpointName(checkpoint)}${isAskable(checkpoint) ? '' : ' (weights not kept)'}`,
              disabled: !isAskable(checkpoint),
            }))}
            value={`${value.step}`}
            allowDeselect={false}
            onChange={(step) => step !== null && onChange(atStep(value, Number(step), usualStrength))}
          />
        ) : (
          <span className={css.asItCame}>as it came</span>
        )}
        {children}
      </div>
      {value.from === 'run' && value.step > 0 && (
        <div className={css.strength}>
          <span>Strength</span>
          <Slider
            size="sm"
            min={0.05}
            max={1.5}
            step={0.05}
            value={value.strength}
            label={null}
            thumbLabel={`${label}: strength of the alignment`}
            marks={[{ value: 1 }]}
            onChange={(strength) => onChange({ ...value, strength })}
          />
          <output>{value.strength.toLocaleString(undefined, { style: 'percent' })}</output>
        </div>
      )}
    </fieldset>
  )
}

/** Another checkpoint at the strength that was chosen, or the run's own where none could be chosen before. */
function atStep(policy: PolicyChoice & { from: 'run' }, step: number, usualStrength: number): PolicyChoice {
  return { ...policy, step, strength: step > 0 && policy.step === 0 ? usualStrength : policy.strength }
}

function isAskable({ step, hasWeights }: { readonly step: number; readonly hasWeights: boolean }): boolean {
  return step === 0 || hasWeights
}
