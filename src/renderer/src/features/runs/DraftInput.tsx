// One setting of a new run as a person types it: its text is kept as it is, also when it is empty or no number yet, and what
// is wrong with it stands beneath.
import { Button, Select, Switch, TextInput } from '@mantine/core'
import type { ReactNode } from 'react'
import { presetConfig } from '../../../../shared/runConfig.ts'
import { type DraftField, keyOf, textOf } from '../../../../shared/runDraft.ts'
import { choiceLabel } from '../../../../shared/settingFields.ts'
import { request } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { decimalSign } from '../../format.ts'
import css from './NewRunSteps.module.css'
import type { NewRun } from './newRunDraft.ts'
import { settingWords } from './RunResults.tsx'

interface DraftInputProps {
  readonly field: DraftField
  readonly newRun: NewRun
}

/** The element that a finding about a setting leads to. */
export const inputId = (key: string): string => `setting-${key}`

export function DraftInput({ field, newRun: { draft, read, change } }: DraftInputProps): ReactNode {
  const key = keyOf(field)
  const preset = presetValue(draft.preset, field)
  const text = draft.texts[key] ?? textOf(preset, decimalSign)
  const problem = read.problems.find((one) => one.key === key)?.message
  const isChanged = read.changed.has(key)
  const set = (next: string): void => {
    const { [key]: _, ...others } = draft.texts
    change({ texts: next === textOf(preset, decimalSign) ? others : { ...others, [key]: next } })
  }
  const common = {
    ...{ id: inputId(key), label: field.title, description: describe(field, preset) },
    ...{ title: `Default from: ${field.source}`, error: problem, 'data-changed': isChanged },
  }
  switch (field.kind) {
    case 'switch':
      return (
        <Switch
          {...common}
          checked={text === 'true'}
          onChange={({ currentTarget }) => set(String(currentTarget.checked))}
        />
      )
    case 'choice':
      return (
        <Select
          {...common}
          data={field.choices.map((value) => ({ value, label: choiceLabel(field, value) }))}
          value={text}
          allowDeselect={false}
          onChange={(choice) => choice !== null && set(choice)}
        />
      )
    case 'file':
      return (
        <div className={css.file}>
          <TextInput {...common} value={text} onChange={({ currentTarget }) => set(currentTarget.value)} />
          <Button
            variant="default"
            aria-label={`Choose the ${field.title.toLowerCase()}`}
            onClick={() =>
              attempt(async () => {
                const picked = await request('runs.pickAnnotations', {})
                if (picked) set(picked.path)
              })
            }
          >
            Choose…
          </Button>
        </div>
      )
    case 'number':
    case 'text':
      return (
        <TextInput
          {...common}
          {...(field.kind === 'number' && { inputMode: 'decimal' as const })}
          value={text}
          onChange={({ currentTarget }) => set(currentTarget.value)}
        />
      )
  }
}

function presetValue(preset: NewRun['draft']['preset'], { section, name }: DraftField): unknown {
  return (presetConfig(preset)[section] as Readonly<Record<string, unknown>>)[name] ?? null
}

/** `1 to 4,096 tokens; 64 by default`. */
function describe(field: DraftField, preset: unknown): string {
  if (field.kind === 'file') return 'COCO instances, as JSON'
  if (field.kind === 'text') return `By default: ${settingWords(preset)}`
  if (field.kind === 'choice') return `${choiceLabel(field, String(preset))} by default`
  if (field.kind === 'switch') return `${preset === true ? 'On' : 'Off'} by default`
  const { min, max, unit } = field
  const least = min === null ? 'above 0' : settingWords(min)
  const range = max === null ? least : `${least} to ${settingWords(max)}`
  const usual = preset === null ? 'empty by default' : `${settingWords(preset)} by default`
  return `${range}${unit ? ` ${unit}` : ''}${field.mayBeEmpty && preset !== null ? ', or empty' : ''}; ${usual}`
}
