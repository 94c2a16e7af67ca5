// New run, last step: several at once, folded away. Every combination of seeds, presets, models and values of a setting is a
// run of its own; all of them are one sweep, whose page holds them side by side.
import { Checkbox, Select, TextInput } from '@mantine/core'
import type { ReactNode } from 'react'
import type { CheckMeasurement } from '../../../../shared/runCheck.ts'
import { type PresetName, presetNames, presets } from '../../../../shared/runConfig.ts'
import { keyOf } from '../../../../shared/runDraft.ts'
import type { ModelView } from '../../../../shared/runView.ts'
import { sectionGroups } from '../../../../shared/settingFields.ts'
import { choicesOf, type SeveralDraft, variableFields } from '../../../../shared/sweepDraft.ts'
import { formatBytes, formatPlural, formatSpan } from '../../format.ts'
import shared from '../../ui/shared.module.css'
import type { NewRun } from './newRunDraft.ts'
import css from './SeveralAtOnce.module.css'

interface SeveralAtOnceProps {
  readonly newRun: NewRun
  readonly models: readonly ModelView[]
  /** Of the run as it is now; null before it was measured. */
  readonly measured: CheckMeasurement | null
}

export function SeveralAtOnce({ newRun, models, measured }: SeveralAtOnceProps): ReactNode {
  const { draft, change, several } = newRun
  const isOpen = draft.several.isOpen
  const set = (part: Partial<SeveralDraft>): void => change({ several: { ...draft.several, ...part } })
  return (
    <details
      className={shared.fold}
      open={isOpen}
      onToggle={({ currentTarget }) => {
        if (currentTarget.open !== isOpen) set({ isOpen: currentTarget.open })
      }}
    >
      <summary>
        Several at once
        {!isOpen && <span className="quiet"> · more seeds, presets or models, side by side</span>}
      </summary>
      {isOpen && (
        <div className={css.several}>
          <Fields newRun={newRun} models={models} set={set} />
          <p className={css.sum} role="status" aria-label="Runs of the sweep">
            {several?.runs ? sumWords(newRun, measured) : (several?.problems[0]?.message ?? '')}
          </p>
        </div>
      )}
    </details>
  )
}

interface FieldsProps extends Omit<SeveralAtOnceProps, 'measured'> {
  readonly set: (part: Partial<SeveralDraft>) => void
}

function Fields({ newRun, models, set }: FieldsProps): ReactNode {
  const { draft, change, several, canHavePlacebo, model } = newRun
  const { seeds, presets: others, modelIds } = draft.several
  const problemOf = (key: string) => several?.problems.find((one) => one.key === key)?.message
  const usable = models.filter(({ companionFolder }) => companionFolder !== null)
  return (
    <>
      <TextInput
        className={css.short}
        label="Seeds"
        description="Such as 1-5, or 1, 2, 7. Each starts the same run with other chances; what they agree on is no accident."
        value={seeds}
        placeholder={draft.seed}
        error={problemOf('seeds')}
        onChange={({ currentTarget }) => set({ seeds: currentTarget.value })}
      />
      <Checkbox.Group
        label="Presets"
        value={[draft.preset, ...others]}
        onChange={(chosen) => set({ presets: chosen.filter((one) => one !== draft.preset) as PresetName[] })}
      >
        <div className={css.choices}>
          {presetNames.map((one) => (
            <Checkbox key={one} value={one} label={presets[one].title} disabled={one === draft.preset} />
          ))}
        </div>
      </Checkbox.Group>
      {usable.length > 1 && (
        <Checkbox.Group
          label="Models"
          value={[...(model ? [model.modelId] : []), ...modelIds].map(String)}
          onChange={(chosen) => {
            const ids = chosen.map(Number).filter((one) => one !== model?.modelId)
            set({ modelIds: ids as ModelView['modelId'][] })
          }}
        >
          <div className={css.choices}>
            {usable.map(({ modelId, name }) => (
              <Checkbox key={modelId} value={String(modelId)} label={name} disabled={modelId === model?.modelId} />
            ))}
          </div>
        </Checkbox.Group>
      )}
      <VariedSetting newRun={newRun} set={set} problem={problemOf('values')} />
      <Checkbox
        label="Each with its placebo"
        description="Shows what of the change was learned from the pictures. Twice as many runs."
        checked={draft.withPlacebo && canHavePlacebo}
        disabled={!canHavePlacebo}
        onChange={({ currentTarget }) => change({ withPlacebo: currentTarget.checked })}
      />
    </>
  )
}

interface VariedSettingProps extends Pick<FieldsProps, 'newRun' | 'set'> {
  readonly problem: string | undefined
}

function VariedSetting({ newRun: { draft, read }, set, problem }: VariedSettingProps): ReactNode {
  const { setting, values, choices } = draft.several
  const fields = variableFields(read.applies)
  const field = fields.find((one) => keyOf(one) === setting)
  const list = field ? choicesOf(field) : null
  return (
    <div className={css.varied}>
      <Select
        label="Vary a setting"
        placeholder="None: only what stands above"
        clearable
        searchable
        clearButtonProps={{ 'aria-label': 'Vary no setting' }}
        data={fields.map((one) => ({ value: keyOf(one), label: `${sectionGroups[one.section].title}: ${one.title}` }))}
        value={field ? setting : null}
        onChange={(key) => set({ setting: key, values: '', choices: [] })}
      />
      {field && !list && (
        <TextInput
          label="Values"
          description={`With spaces between them${field.unit ? `, in ${field.unit}` : ''}`}
          value={values}
          error={problem}
          onChange={({ currentTarget }) => set({ values: currentTarget.value })}
        />
      )}
      {list && (
        <Checkbox.Group label="Values" value={choices} error={problem} onChange={(chosen) => set({ choices: chosen })}>
          <div className={css.choices}>
            {list.map(({ value, label }) => (
              <Checkbox key={value} value={value} label={label} />
            ))}
          </div>
        </Checkbox.Group>
      )}
    </div>
  )
}

/** How many runs, and what they take as far as one was measured. */
function sumWords({ several, draft, canHavePlacebo }: NewRun, measured: CheckMeasurement | null): ReactNode {
  const count = several?.runs?.length ?? 0
  const times = draft.withPlacebo && canHavePlacebo ? 2 : 1
  const runs = `${formatPlural(count, 'run')}${times === 2 ? ' and as many placebos' : ''}`
  if (!measured) {
    return (
      <>
        <strong>{runs}.</strong> Measure it above to see how long they take and what they need on the disk.
      </>
    )
  }
  const totalMs = measured.time.totalMs.value * (several?.timesOne ?? 1) * times
  return (
    <>
      <strong>{runs}.</strong> One after another here they take {formatSpan(totalMs)} and{' '}
      {formatBytes(measured.disk.totalBytes * count * times)} on the disk, as far as one was measured.
    </>
  )
}
