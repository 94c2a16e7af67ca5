// "Several at once" of New run while it is typed: seeds, presets, models and values of one setting beside the draft of the run.
// Made into the runs that it comes to, or into what is wrong. Before it stands New run's last step, after it the contract.
import { z } from 'zod'
import { type ModelId, modelIdSchema } from './domain.ts'
import type { Reading } from './readNumber.ts'
import type { NewRunRequest } from './runChannels.ts'
import { presetNames, presets, type RunConfig, totalStepsOf } from './runConfig.ts'
import { type DraftField, type DraftProblem, draftFields, keyOf, type RunDraft, readRunDraft } from './runDraft.ts'
import { choiceLabel, runSections } from './settingFields.ts'
import { mostCells } from './sweep.ts'
import { combined, readSeeds, variations, variedName } from './sweepPlan.ts'

export const severalSchema = z.object({
  isOpen: z.boolean(),
  /** As typed; empty for the seed of the run. */
  seeds: z.string(),
  /** Beside the one of the run. */
  presets: z.array(z.enum(presetNames)),
  /** Beside the one of the run. */
  modelIds: z.array(modelIdSchema),
  /** By its key; null for none. */
  setting: z.string().nullable(),
  /** Numbers as typed, and choices of a list. */
  values: z.string(),
  choices: z.array(z.string()),
})
export type SeveralDraft = z.infer<typeof severalSchema>

export const emptySeveral: SeveralDraft = {
  ...{ isOpen: false, seeds: '1-3', presets: [], modelIds: [], setting: null, values: '', choices: [] },
}

export interface SeveralResult {
  /** Null while something is wrong. */
  readonly runs: readonly NewRunRequest[] | null
  /** Responses of all runs by those of one, so that a time that was measured for one tells that of all; null beside `runs`. */
  readonly timesOne: number | null
  /** By the field: `seeds`, `values`, or `runs` for what is about all of them. */
  readonly problems: readonly DraftProblem[]
}

/** Settings that can be varied: those that are read, and have numbers or a list to choose from. */
export function variableFields(applies: ReadonlySet<string>): DraftField[] {
  const fields = runSections.flatMap(draftFields).filter((field) => applies.has(keyOf(field)))
  return fields.filter(({ kind }) => kind === 'number' || kind === 'choice' || kind === 'switch')
}

/** The values that a field can be chosen from; null where a number is typed. */
export function choicesOf(field: DraftField): readonly { readonly value: string; readonly label: string }[] | null {
  if (field.kind === 'switch') return [onOff('true'), onOff('false')]
  if (field.kind !== 'choice') return null
  return field.choices.map((value) => ({ value, label: choiceLabel(field, value) }))
}

const onOff = (value: 'true' | 'false') => ({ value, label: value === 'true' ? 'on' : 'off' })

/**
 * Every combination as a run of its own.
 * @param draft of one run, without an error
 * @param models the one of the run first, each with its name
 * @param decimal what stands before fractions in the person's language
 */
export function readSeveral(
  several: SeveralDraft,
  draft: RunDraft,
  models: readonly { readonly modelId: ModelId; readonly name: string }[],
  decimal: '.' | ',' = '.',
): SeveralResult {
  const problem = (key: string, title: string, message: string): DraftProblem => ({ key, title, message })
  const seeds = readSeeds(several.seeds.trim() === '' ? draft.seed : several.seeds)
  const values = readValues(several, draft, decimal)
  const problems = [
    ...(seeds.ok ? [] : [problem('seeds', 'Seeds', seeds.problem)]),
    ...(values.ok ? [] : [problem('values', 'Values', values.problem)]),
  ]
  if (!seeds.ok || !values.ok) return { runs: null, timesOne: null, problems }
  const chosenPresets = presetNames.filter((one) => one === draft.preset || several.presets.includes(one))
  const all = combined(
    variations(models, ({ name }) => name),
    variations(chosenPresets, (preset) => presets[preset].title),
    values.value,
    variations(seeds.value, (seed) => `seed ${seed}`),
  )
  if (all.length > mostCells)
    return {
      ...{ runs: null, timesOne: null },
      problems: [problem('runs', 'Runs', `This makes ${all.length} runs; a sweep has at most ${mostCells}.`)],
    }
  const one = readRunDraft(draft, decimal).config
  const runs: NewRunRequest[] = []
  let responses = 0
  for (const [model, preset, value, seed] of all) {
    const texts = { ...draft.texts, ...value.texts }
    const read = readRunDraft({ preset: preset.value, name: draft.name, seed: '1', texts }, decimal)
    if (!read.run || !read.config) {
      const [wrong] = read.problems
      return { runs: null, timesOne: null, problems: wrong ? [wrong] : [] }
    }
    const words = [model.words, preset.words, value.words, seed.words]
    const name = variedName(draft.name.trim(), words)
    runs.push({ ...read.run, modelId: model.value.modelId, name, seed: seed.value })
    responses += responsesOf(read.config)
  }
  const ofOne = one ? responsesOf(one) : 0
  return { runs, timesOne: ofOne > 0 ? responses / ofOne : runs.length, problems }
}

/** While it learns. */
function responsesOf(config: RunConfig): number {
  return totalStepsOf(config) * config.rollout.responsesPerStep
}

interface Value {
  readonly texts: Readonly<Record<string, string>>
  readonly words: string | null
}

/** One way without a setting that is varied. */
function readValues({ setting, values, choices }: SeveralDraft, draft: RunDraft, decimal: '.' | ','): Reading<Value[]> {
  const field = variableFields(readRunDraft(draft, decimal).applies).find((one) => keyOf(one) === setting)
  if (!field || setting === null) return { ok: true, value: [{ texts: {}, words: null }] }
  const list = choicesOf(field)
  const typed = list
    ? list.flatMap(({ value }) => (choices.includes(value) ? [value] : []))
    : values.split(decimal === '.' ? /[;,\s]+/ : /[;\s]+/).filter((one) => one !== '')
  if (typed.length === 0)
    return { ok: false, problem: list ? 'Choose at least one.' : 'Type some numbers with spaces between them.' }
  for (const text of typed) {
    const { problems } = readRunDraft({ ...draft, texts: { ...draft.texts, [setting]: text } }, decimal)
    const wrong = problems.find(({ key }) => key === setting)
    if (wrong) return { ok: false, problem: wrong.message }
  }
  if (new Set(typed).size < typed.length) return { ok: false, problem: 'A value is named twice.' }
  const wordsOf = (text: string): string => {
    const label = list?.find(({ value }) => value === text)?.label
    return field.kind === 'choice' ? (label ?? text) : `${field.title} ${label ?? text}`
  }
  return {
    ok: true,
    value: variations(typed, wordsOf).map(({ value, words }) => ({ texts: { [setting]: value }, words })),
  }
}
