// New run, third step: how thoroughly it learns, what it is called, and whether its placebo runs too.
import { Checkbox, Radio, TextInput } from '@mantine/core'
import type { ReactNode } from 'react'
import { type PresetName, presetConfig, presetNames, presets, totalStepsOf } from '../../../../shared/runConfig.ts'
import { formatPlural } from '../../format.ts'
import shared from '../../ui/shared.module.css'
import { inputId } from './DraftInput.tsx'
import { ExpertSettings } from './ExpertSettings.tsx'
import css from './NewRunSteps.module.css'
import type { NewRun } from './newRunDraft.ts'

export function PresetStep({ newRun }: { readonly newRun: NewRun }): ReactNode {
  const { draft, change, name, read, canHavePlacebo } = newRun
  const { config } = read
  // While a setting is wrong nothing is known of it.
  const mayAsk = canHavePlacebo || config === null
  return (
    <>
      <Radio.Group
        label="How thoroughly?"
        value={draft.preset}
        onChange={(value) => change({ preset: value as PresetName })}
        classNames={{ label: shared.legend }}
      >
        <div className={`${css.cards} ${css.presets}`}>
          {presetNames.map((one) => (
            <Radio.Card key={one} value={one} className={css.card} aria-label={presets[one].title}>
              <Radio.Indicator />
              <span className={css.cardText}>
                <strong>{presets[one].title}</strong>
                <span>{presets[one].purpose}</span>
                <span className={css.cardNote}>{formatPlural(totalStepsOf(presetConfig(one)), 'step')}</span>
              </span>
            </Radio.Card>
          ))}
        </div>
      </Radio.Group>
      <p className={css.lead} role="status" aria-label="Work of the run">
        {config ? workWords(config) : 'What it takes can be told once no setting is wrong.'}
      </p>
      <TextInput
        id={inputId('name')}
        className={css.name}
        label="Name"
        value={name}
        error={read.problems.find(({ key }) => key === 'name')?.message}
        onChange={({ currentTarget }) => change({ name: currentTarget.value })}
      />
      <Checkbox
        label="Run its placebo too"
        description={
          mayAsk
            ? 'The same run once more, each image judged by another one. Only what lies beyond it was learned from the pictures. Takes as long again, after this run.'
            : 'Not with these settings: this run learns nothing, or is a placebo itself.'
        }
        checked={draft.withPlacebo && mayAsk}
        disabled={!mayAsk}
        onChange={({ currentTarget }) => change({ withPlacebo: currentTarget.checked })}
      />
      <ExpertSettings newRun={newRun} />
    </>
  )
}

function workWords(config: NonNullable<NewRun['read']['config']>): string {
  const steps = totalStepsOf(config)
  const calibrations = config.reward.method === 'none' ? 1 : config.optimiser.rounds
  const responses = steps * config.rollout.responsesPerStep + calibrations * config.calibration.responses
  return `${formatPlural(steps, 'step')}, ${formatPlural(responses, 'response')} in all. How long that takes is measured in the next step.`
}
