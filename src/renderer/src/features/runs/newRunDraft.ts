// The draft of a new run: kept when its page is left, read by shared/runDraft.ts, and only discarded by a person or by the
// start of the run.
import { useMemo } from 'react'
import { z } from 'zod'
import type { NewRunRequest } from '../../../../shared/contract.ts'
import { modelIdSchema } from '../../../../shared/domain.ts'
import { type PresetName, presetNames, presets } from '../../../../shared/runConfig.ts'
import { type DraftResult, readRunDraft } from '../../../../shared/runDraft.ts'
import type { ModelView, RunView } from '../../../../shared/runView.ts'
import { emptySeveral, readSeveral, type SeveralResult, severalSchema } from '../../../../shared/sweepDraft.ts'
import { decimalSign } from '../../format.ts'
import { useKept } from '../../place.ts'

/** In the order of the page. */
export const newRunSteps = ['model', 'images', 'preset', 'check'] as const
export type NewRunStep = (typeof newRunSteps)[number]

const draftSchema = z.object({
  step: z.enum(newRunSteps),
  /** Null for the model that was added last. */
  modelId: modelIdSchema.nullable(),
  preset: z.enum(presetNames),
  /** Null for the one that is suggested. */
  name: z.string().nullable(),
  seed: z.string(),
  /** What was typed, by `section.name`. */
  texts: z.record(z.string(), z.string()),
  withPlacebo: z.boolean(),
  several: severalSchema.default(emptySeveral),
})
export type NewRunDraft = z.infer<typeof draftSchema>

const emptyDraft: NewRunDraft = {
  ...{ step: 'model', modelId: null, preset: 'quick-look', name: null, seed: '1', texts: {}, withPlacebo: false },
  several: emptySeveral,
}

export interface NewRun {
  readonly draft: NewRunDraft
  readonly change: (part: Partial<NewRunDraft>) => void
  readonly discard: () => void
  /** Something was chosen that a person would not want to lose. */
  readonly isTouched: boolean
  readonly name: string
  readonly model: ModelView | null
  readonly read: DraftResult
  /** Whether a placebo of it means anything. */
  readonly canHavePlacebo: boolean
  /** Null while something is missing or wrong. */
  readonly asked: NewRunRequest | null
  /** Several at once, as one sweep; null unless that is asked for of a run that is asked for. */
  readonly several: SeveralResult | null
}

export function useNewRun(models: readonly ModelView[] | null, runs: readonly RunView[] | null): NewRun {
  const [draft, setDraft] = useKept('runs.new', draftSchema, emptyDraft)
  const { modelId, preset, seed, texts } = draft
  const name = draft.name ?? suggestedName(preset, runs ?? [])
  const model = models?.find((one) => one.modelId === modelId) ?? models?.at(-1) ?? null
  const read = useMemo(() => readRunDraft({ preset, name, seed, texts }, decimalSign), [preset, name, seed, texts])
  const { config, run } = read
  const asked = useMemo(() => (model && run ? { modelId: model.modelId, ...run } : null), [model, run])
  const several = useMemo(() => {
    if (!asked || !model || !draft.several.isOpen) return null
    const others = (models ?? []).filter((one) => one !== model && draft.several.modelIds.includes(one.modelId))
    return readSeveral(draft.several, { preset, name, seed, texts }, [model, ...others], decimalSign)
  }, [asked, model, models, draft.several, preset, name, seed, texts])
  return {
    ...{ draft, name, model, read },
    change: (part) => setDraft({ ...draft, ...part }),
    discard: () => setDraft(emptyDraft),
    isTouched: draft.name !== null || draft.withPlacebo || draft.several.isOpen || Object.keys(texts).length > 0,
    canHavePlacebo: config?.reward.verifier === 'own' && config.reward.method !== 'none',
    ...{ asked, several },
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
