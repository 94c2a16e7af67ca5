// The expert settings of a new run, folded away: each field with its unit, range and default, built from the schema.
import { Button, NumberInput, Select, Switch, TextInput } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { z } from 'zod'
import { type PresetName, presetConfig } from '../../../../shared/runConfig.ts'
import { runSections, type SettingField, settingFields } from '../../../../shared/settingFields.ts'
import { formatPlural } from '../../format.ts'
import shared from '../../ui/shared.module.css'
import css from './ExpertSettings.module.css'
import { settingWords } from './RunResults.tsx'
import { sectionTitles } from './runWords.ts'

/** Settings by section and name that differ from the preset's. */
export const changesSchema = z.partialRecord(
  z.enum(runSections),
  z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
)
export type Changes = z.infer<typeof changesSchema>

interface ExpertSettingsProps {
  readonly preset: PresetName
  readonly changes: Changes
  readonly onChange: (changes: Changes) => void
  /** Fields of the run itself, shown first. */
  readonly children: ReactNode
}

export function ExpertSettings({ preset, changes, onChange, children }: ExpertSettingsProps): ReactNode {
  const defaults = presetConfig(preset) as unknown as Readonly<Record<string, Readonly<Record<string, unknown>>>>
  const count = Object.values(changes).reduce((sum, values) => sum + Object.keys(values).length, 0)
  const change = ({ section, name }: SettingField, value: string | number | boolean): void => {
    const { [name]: _, ...others } = changes[section] ?? {}
    const isDefault = value === '' || value === defaults[section]?.[name]
    const { [section]: __, ...otherSections } = changes
    const values = isDefault ? others : { ...others, [name]: value }
    onChange(Object.keys(values).length === 0 ? otherSections : { ...otherSections, [section]: values })
  }
  return (
    <details className={shared.fold}>
      <summary>
        Expert settings
        {count > 0 && <span className="quiet"> · {formatPlural(count, 'change')} to the preset</span>}
      </summary>
      {count > 0 && (
        <Button size="compact-xs" variant="default" mt="xs" onClick={() => onChange({})}>
          Take the preset as it is
        </Button>
      )}
      <div className={`${css.fields} ${shared.foldSection}`}>{children}</div>
      {runSections.map((section) => (
        <section key={section} className={shared.foldSection} aria-label={sectionTitles[section]}>
          <h3>{sectionTitles[section]}</h3>
          <div className={css.fields}>
            {settingFields(section).map((field) => (
              <Field
                key={field.name}
                field={field}
                preset={defaults[section]?.[field.name]}
                value={changes[section]?.[field.name] ?? defaults[section]?.[field.name]}
                onChange={(value) => change(field, value)}
              />
            ))}
          </div>
        </section>
      ))}
    </details>
  )
}

interface FieldProps {
  readonly field: SettingField
  /** The value of the preset. */
  readonly preset: unknown
  readonly value: unknown
  readonly onChange: (value: string | number | boolean) => void
}

function Field({ field, preset, value, onChange }: FieldProps): ReactNode {
  const shared = { label: field.title, description: describe(field, preset), title: `Default from: ${field.source}` }
  switch (field.kind) {
    case 'number':
      return <NumberField {...shared} field={field} value={value as number | null} onChange={onChange} />
    case 'switch':
      return (
        <Switch
          {...shared}
          checked={value === true}
          onChange={({ currentTarget }) => onChange(currentTarget.checked)}
        />
      )
    case 'choice':
      return (
        <Select
          {...shared}
          data={[...field.choices]}
          value={String(value)}
          allowDeselect={false}
          onChange={(choice) => choice !== null && onChange(choice)}
        />
      )
    case 'text':
      return (
        <TextInput {...shared} value={String(value)} onChange={({ currentTarget }) => onChange(currentTarget.value)} />
      )
  }
}

interface NumberFieldProps extends Pick<FieldProps, 'onChange'> {
  readonly label: string
  readonly description: string
  readonly title: string
  readonly field: SettingField & { readonly kind: 'number' }
  /** None where the number may be left out. */
  readonly value: number | null
}

/** A number while it is typed: what is no number yet, such as an empty field or `0.0`, stays in the field alone. */
function NumberField({ field, value, onChange, ...shared }: NumberFieldProps): ReactNode {
  const [draft, setDraft] = useState<string | null>(null)
  const { isInteger, min, max } = field
  return (
    <NumberInput
      {...shared}
      hideControls
      allowDecimal={!isInteger}
      allowNegative={min !== null && min < 0}
      {...(min !== null && { min })}
      {...(max !== null && { max })}
      value={draft ?? value ?? ''}
      onBlur={() => setDraft(null)}
      onChange={(next) => {
        setDraft(typeof next === 'string' ? next : null)
        if (typeof next === 'number' || next === '') onChange(next)
      }}
    />
  )
}

/** `1 to 4,096 tokens; 64 by default`. */
function describe(field: SettingField, preset: unknown): string {
  if (field.kind === 'text') return `By default: ${settingWords(preset)}`
  const usual = `${settingWords(preset)} by default`
  if (field.kind !== 'number') return usual
  const { min, max, unit } = field
  const least = min === null ? 'above 0' : settingWords(min)
  const range = max === null ? least : `${least} to ${settingWords(max)}`
  return `${range}${unit ? ` ${unit}` : ''}; ${usual}`
}
