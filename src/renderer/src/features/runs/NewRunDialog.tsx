// The wizard of a new run: model, preset in plain words, expert settings folded away, and a check before the start.
import { Button, Checkbox, NumberInput, Radio, Select, TextInput } from '@mantine/core'
import { IconPlayerPlay, IconPlus } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { z } from 'zod'
import { type ModelId, modelIdSchema, type RunId } from '../../../../shared/domain.ts'
import { type PresetName, presetConfig, presetNames, presets, type RunConfig } from '../../../../shared/runConfig.ts'
import type { ModelView, RunView } from '../../../../shared/runView.ts'
import { request, useAppState } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { shortenPath } from '../../format.ts'
import { useKept } from '../../place.ts'
import { useModels, useModelsChanged } from '../../queries/models.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import shared from '../../ui/shared.module.css'
import { AddModel } from '../models/AddModel.tsx'
import { type Changes, changesSchema, ExpertSettings } from './ExpertSettings.tsx'
import css from './NewRunDialog.module.css'
import { RunChecks } from './RunChecks.tsx'

const largestSeed = 2 ** 31 - 1

/** What was chosen so far: only Start and Cancel end it, so nothing is lost when the dialog is closed in passing. */
const draftSchema = z.object({
  modelId: modelIdSchema.nullable(),
  preset: z.enum(presetNames),
  /** Null for the one that is suggested. */
  name: z.string().nullable(),
  changes: changesSchema,
  seed: z.number(),
  withPlacebo: z.boolean(),
})
type Draft = z.infer<typeof draftSchema>
const emptyDraft: Draft = {
  ...{ modelId: null, preset: 'quick-look', name: null, changes: {}, seed: 1, withPlacebo: false },
}

interface NewRunDialogProps {
  readonly existing: readonly RunView[]
  readonly onClose: () => void
  readonly onStarted: (runId: RunId) => void
}

export function NewRunDialog({ existing, onClose, onStarted }: NewRunDialogProps): ReactNode {
  const models = useModels()
  const modelsChanged = useModelsChanged()
  const [draft, setDraft] = useKept('runs.new', draftSchema, emptyDraft)
  const { modelId, preset, name, changes, seed, withPlacebo } = draft
  const change = (part: Partial<Draft>): void => setDraft({ ...draft, ...part })
  const [isAdding, setAdding] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const model = models?.find((one) => one.modelId === modelId) ?? models?.at(-1) ?? null
  const suggested = suggestedName(preset, existing)
  const config = configOf(preset, changes)
  const images = useAppState().workspace?.imageCount ?? 0
  const canHavePlacebo = config?.reward.verifier === 'own' && config.reward.method !== 'none'
  const needsModel = models?.length === 0 || isAdding

  const start = (): void => {
    if (!model) return
    setBusy(true)
    attempt(async () => {
      try {
        const wanted = { modelId: model.modelId, name: name?.trim() || suggested, preset, changes, seed }
        const { runId } = await request('runs.create', wanted)
        if (withPlacebo && canHavePlacebo) await request('runs.createPlacebo', { runId })
        setDraft(emptyDraft)
        onStarted(runId)
      } finally {
        setBusy(false)
      }
    })
  }

  return (
    <Dialog onClose={onClose} size={720} title="New run" closeOnClickOutside={false}>
      <form
        className={css.newRun}
        onSubmit={(event) => {
          event.preventDefault()
          start()
        }}
      >
        <fieldset>
          <legend>Which model?</legend>
          {models && models.length > 0 && (
            <div className={css.newRunModel}>
              <Select
                aria-label="Model"
                data={models.map((one) => ({ value: String(one.modelId), label: modelLabel(one, models) }))}
                value={model === null ? null : String(model.modelId)}
                allowDeselect={false}
                onChange={(value) => change({ modelId: Number(value) as ModelId })}
              />
              <Button variant="default" leftSection={<IconPlus size={16} />} onClick={() => setAdding(!isAdding)}>
                Add a model
              </Button>
            </div>
          )}
          {needsModel && (
            <AddModel
              onAdded={(added) => {
                attempt(modelsChanged)
                change({ modelId: added.modelId })
                setAdding(false)
              }}
            />
          )}
        </fieldset>
        <Radio.Group
          label="How thoroughly?"
          value={preset}
          onChange={(value) => change({ preset: value as PresetName })}
          classNames={{ label: shared.legend }}
        >
          <div className={css.presets}>
            {presetNames.map((one) => (
              <Radio key={one} value={one} label={presets[one].title} description={presets[one].purpose} />
            ))}
          </div>
        </Radio.Group>
        <TextInput
          label="Name"
          value={name ?? suggested}
          maxLength={120}
          onChange={({ currentTarget }) => change({ name: currentTarget.value })}
        />
        <Checkbox
          label="Run its placebo too"
          description="The same run once more, each image judged by another one. Only what lies beyond it was learned from the pictures. Takes as long again, after this run."
          checked={withPlacebo && canHavePlacebo}
          disabled={!canHavePlacebo}
          onChange={({ currentTarget }) => change({ withPlacebo: currentTarget.checked })}
        />
        <ExpertSettings preset={preset} changes={changes} onChange={(next) => change({ changes: next })}>
          <NumberInput
            label="Seed"
            description={`0 to ${largestSeed.toLocaleString()}; the same seed, images and settings give the same run`}
            min={0}
            max={largestSeed}
            allowDecimal={false}
            hideControls
            value={seed}
            onChange={(value) => change({ seed: Number(value) })}
          />
        </ExpertSettings>
        <RunChecks model={model} config={config} isQueueBusy={existing.some(({ state }) => isUnderWay(state))} />
        <div className={`${shared.dialogActions} ${css.actions}`}>
          <Button
            variant="default"
            onClick={() => {
              setDraft(emptyDraft)
              onClose()
            }}
          >
            Cancel
          </Button>
          <Button
            type="submit"
            leftSection={<IconPlayerPlay size={16} />}
            loading={isBusy}
            disabled={!canStart(model, config, images)}
          >
            Start
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

/** The fewest images that a run can be made with (run/schedule.ts of the engine). */
const fewestImages = 3

function canStart(model: ModelView | null, config: RunConfig | null, images: number): boolean {
  return model !== null && model.companionFolder !== null && config !== null && images >= fewestImages
}

function isUnderWay(state: RunView['state']): boolean {
  return state === 'running' || state === 'queued'
}

/** The settings as they would be, or null while one of them is out of its range. */
function configOf(preset: PresetName, changes: Changes): RunConfig | null {
  try {
    return presetConfig(preset, changes)
  } catch {
    // Main says which one when the run is asked for; here it only keeps the button from being pressed.
    return null
  }
}

/** `Quick look 2`, when there is a `Quick look` already. */
function suggestedName(preset: PresetName, existing: readonly RunView[]): string {
  const { title } = presets[preset]
  const taken = new Set(existing.map(({ name }) => name))
  for (let number = 1; ; number++) {
    const name = number === 1 ? title : `${title} ${number}`
    if (!taken.has(name)) return name
  }
}

/** Its name; with its folder where two have the same. */
function modelLabel(model: ModelView, models: readonly ModelView[]): string {
  const isAmbiguous = models.some(({ name, modelId }) => name === model.name && modelId !== model.modelId)
  return isAmbiguous ? `${model.name} (${shortenPath(model.folder, 40)})` : model.name
}
