// A new run while it is typed: every field a text, also one that was emptied or is no number yet. Made into the request of
// the run, or into what is wrong with each field, by its title. New run's page stands before it, the contract after it.

import { type Reading, readNumber, readWhole } from './readNumber.ts'
import { type PresetName, presetConfig, type RunConfig, runConfigSchema } from './runConfig.ts'
import { doesApply, runSections, type SettingField, settingFields } from './settingFields.ts'
import type { SettingMeta } from './settingMeta.ts'

/** What a person typed by `section.name`; what is not there is the preset's. Switches are `true` and `false`. */
export type DraftTexts = Readonly<Record<string, string>>

export interface RunDraft {
  readonly preset: PresetName
  readonly name: string
  readonly seed: string
  readonly texts: DraftTexts
}

/** A field of the form; a file is chosen in a dialog. */
export type DraftField =
  | SettingField
  | (SettingMeta & { readonly kind: 'file'; readonly section: 'calibration'; readonly name: 'annotationFile' })

export interface DraftProblem {
  /** `name`, `seed`, or `section.name`. */
  readonly key: string
  /** Of the field, as it stands beside it. */
  readonly title: string
  /** What is wrong, as a sentence. */
  readonly message: string
}

type Value = string | number | boolean | null

/** What the page asks for, when nothing is wrong. */
export interface DraftedRun {
  readonly name: string
  readonly preset: PresetName
  readonly seed: number
  /** What differs from the preset. */
  readonly changes: Partial<Record<keyof RunConfig, Record<string, Value>>>
}

export interface DraftResult {
  /** Null while something is wrong. */
  readonly run: DraftedRun | null
  readonly config: RunConfig | null
  readonly problems: readonly DraftProblem[]
  /** Fields that are read, by `section.name`; a page hides the others, and what was typed in them counts for nothing. */
  readonly applies: ReadonlySet<string>
  /** Fields that are read and differ from the preset. */
  readonly changed: ReadonlySet<string>
}

export const largestSeed = 2 ** 31 - 1
const longestName = 120
const seedTitle = 'Seed'
const nameTitle = 'Name'

/** All fields of a section that New run shows. */
export function draftFields(section: SettingField['section']): DraftField[] {
  const fields: DraftField[] = settingFields(section)
  if (section !== 'calibration') return fields
  const meta = runConfigSchema.shape.calibration.unwrap().shape.annotationFile.unwrap().meta() as unknown as SettingMeta
  const file: DraftField = { ...meta, kind: 'file', section, name: 'annotationFile' }
  const at = fields.findIndex(({ name }) => name === 'method') + 1
  return [...fields.slice(0, at), file, ...fields.slice(at)]
}

/** The key of a field in a draft. */
export const keyOf = ({ section, name }: Pick<DraftField, 'section' | 'name'>): string => `${section}.${name}`

/** A value as the text that its field shows. @param decimal what stands before fractions in the person's language */
export function textOf(value: unknown, decimal: '.' | ',' = '.'): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'number' ? String(value).replace('.', decimal) : String(value)
}

/**
 * Reads a draft.
 * @param decimal what stands before fractions in the person's language
 */
export function readRunDraft(draft: RunDraft, decimal: '.' | ',' = '.'): DraftResult {
  const preset = presetConfig(draft.preset) as unknown as Record<string, Record<string, Value>>
  const read = new Map<string, { field: DraftField; given: Reading<Value>; preset: Value }>()
  for (const field of runSections.flatMap(draftFields)) {
    const own = preset[field.section]?.[field.name] ?? null
    const text = draft.texts[keyOf(field)]
    const given: Reading<Value> = text === undefined ? { ok: true, value: own } : readField(field, text, decimal)
    read.set(keyOf(field), { field, given, preset: own })
  }
  // A choice that is wrong hides nothing: the preset's stands for it.
  const chosen = (key: string): Value | undefined => {
    const one = read.get(key)
    return one?.given.ok ? one.given.value : one?.preset
  }
  const applying = [...read].filter(([, { field }]) => doesApply(field, chosen))
  const problems = [
    ...nameProblems(draft.name),
    ...applying.flatMap(([key, { field, given }]) =>
      given.ok ? [] : [{ key, title: field.title, message: given.problem }],
    ),
    ...seedProblems(draft.seed, decimal),
    ...missingFile(
      applying.map(([key]) => key),
      chosen('calibration.annotationFile'),
    ),
  ]
  const applies = new Set(applying.map(([key]) => key))
  const changes: Record<string, Record<string, Value>> = {}
  const changed = new Set<string>()
  for (const [key, { field, given, preset: own }] of applying) {
    if (!given.ok || given.value === own) continue
    changed.add(key)
    changes[field.section] = { ...changes[field.section], [field.name]: given.value }
  }
  const seed = readSeed(draft.seed, decimal)
  if (problems.length > 0 || !seed.ok) return { run: null, config: null, problems, applies, changed }
  const config = presetConfig(draft.preset, changes)
  const run = { name: draft.name.trim(), preset: draft.preset, seed: seed.value, changes }
  return { run, config, problems, applies, changed }
}

function readField(field: DraftField, text: string, decimal: '.' | ','): Reading<Value> {
  switch (field.kind) {
    case 'switch':
      return text === 'true' || text === 'false'
        ? { ok: true, value: text === 'true' }
        : { ok: false, problem: 'Switch it on or off.' }
    case 'choice':
      return field.choices.includes(text)
        ? { ok: true, value: text }
        : { ok: false, problem: 'Choose one of the list.' }
    case 'file':
      return { ok: true, value: text.trim() === '' ? null : text }
    case 'text':
      return readText(field, text)
    case 'number':
      return text.trim() === '' && field.mayBeEmpty ? { ok: true, value: null } : readNumber(text, field, decimal)
  }
}

/** By the schema of the setting, with sentences of our own. An empty text is never the preset's in disguise. */
function readText({ section, name }: SettingField, text: string): Reading<string> {
  if (text.trim() === '') return { ok: false, problem: 'It must not be empty.' }
  const result = runConfigSchema.safeParse({ [section]: { [name]: text } })
  if (result.success) return { ok: true, value: text }
  const [issue] = result.error.issues
  if (issue?.code === 'too_big') return { ok: false, problem: `It is longer than ${issue.maximum} characters.` }
  return { ok: false, problem: `It ${issue?.message ?? 'cannot be used'}.` }
}

function nameProblems(name: string): DraftProblem[] {
  const problem = (message: string) => [{ key: 'name', title: nameTitle, message }]
  if (name.trim() === '') return problem('It must not be empty.')
  return name.trim().length > longestName ? problem(`It is longer than ${longestName} characters.`) : []
}

function readSeed(text: string, decimal: '.' | ','): Reading<number> {
  return readWhole(text, { min: 0, max: largestSeed }, decimal)
}

function seedProblems(text: string, decimal: '.' | ','): DraftProblem[] {
  const read = readSeed(text, decimal)
  return read.ok ? [] : [{ key: 'seed', title: seedTitle, message: read.problem }]
}

/** "Annotated" means nothing without the file. */
function missingFile(applying: readonly string[], file: Value | undefined): DraftProblem[] {
  const field = draftFields('calibration').find(({ kind }) => kind === 'file')
  if (!field || !applying.includes(keyOf(field)) || file) return []
  const message = 'Choose a file of COCO annotations, or calibrate without annotations.'
  return [{ key: keyOf(field), title: field.title, message }]
}
