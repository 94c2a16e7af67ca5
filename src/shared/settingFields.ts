// The settings of a run as a form shows them: each with its title, unit, range, source and kind, read from the schema
// in runConfig.ts, so that a new setting appears without a line of interface.
import type { z } from 'zod'
import { type RunConfig, runConfigSchema } from './runConfig.ts'
import type { SettingCondition, SettingMeta } from './settingMeta.ts'

export type RunSection = keyof RunConfig
export const runSections = Object.keys(runConfigSchema.shape) as [RunSection, ...RunSection[]]

/** A section as a heading of a form, with what its settings are about. */
export const sectionGroups: Readonly<Record<RunSection, { readonly title: string; readonly purpose: string }>> = {
  rollout: { title: 'Responses', purpose: 'What the model is asked, and how it answers while it learns.' },
  reward: { title: 'Reward', purpose: 'What a word, or a response, earns.' },
  calibration: { title: 'Calibration', purpose: 'How the verifier’s scores are told apart, and when it is refused.' },
  optimiser: { title: 'Training', purpose: 'How far and how fast the model is changed.' },
  base: {
    title: 'Model',
    purpose: 'How its own weights are held; policy and reference are always computed with the same ones.',
  },
  adapter: { title: 'Adapter', purpose: 'The part that is trained; the model itself stays as it is.' },
  evaluation: { title: 'Looks and checkpoints', purpose: 'How often progress is looked at, and what is kept.' },
}

/** How a setting is entered. */
export type SettingKind =
  | {
      readonly kind: 'number'
      readonly isInteger: boolean
      readonly min: number | null
      readonly max: number | null
      /** Left empty it means something of its own, such as "all". */
      readonly mayBeEmpty?: true
    }
  | { readonly kind: 'switch' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'text' }

export type SettingField = SettingMeta & SettingKind & { readonly section: RunSection; readonly name: string }

/** The parts of zod's schemas that are read here. */
interface Described {
  readonly def: { readonly type: string; readonly innerType?: Described; readonly checks?: readonly Check[] }
  readonly shape?: Readonly<Record<string, Described>>
  readonly options?: readonly unknown[]
  readonly minValue?: number | null
  readonly maxValue?: number | null
  readonly isInt?: boolean
  meta(): SettingMeta | undefined
}
interface Check {
  readonly _zod?: { readonly def: { readonly check?: string; readonly value?: number; readonly inclusive?: boolean } }
}

/** The settings of a section that a form can show, in the order of the schema; files and mixed kinds are left out. */
export function settingFields(section: RunSection): SettingField[] {
  const shape = inner(runConfigSchema.shape[section] as z.ZodType as unknown as Described).shape ?? {}
  return Object.entries(shape).flatMap(([name, field]) => {
    const described = inner(field)
    const meta = described.meta()
    const kind = kindOf(described)
    return meta && kind ? [{ ...meta, ...kind, section, name }] : []
  })
}

/**
 * Whether a setting says anything beside these others.
 * @param chosen the value of a setting by section and name
 */
export function doesApply(
  { appliesTo = [] }: { readonly appliesTo?: readonly SettingCondition[] },
  chosen: (setting: string) => unknown,
): boolean {
  return appliesTo.every(({ setting, is }) => is.some((one) => one === chosen(setting)))
}

/** A setting's choice for a person, e.g. "Token by token (PPO)". */
export function choiceLabel({ labels }: Pick<SettingMeta, 'labels'>, choice: string): string {
  return labels?.[choice] ?? choice
}

/** What stands under the default. */
function inner(field: Described): Described {
  return field.def.innerType ?? field
}

function kindOf(field: Described): SettingKind | null {
  switch (field.def.type) {
    case 'boolean':
      return { kind: 'switch' }
    case 'enum':
      return { kind: 'choice', choices: (field.options ?? []).map(String) }
    case 'string':
      return { kind: 'text' }
    case 'number':
      return {
        kind: 'number',
        isInteger: field.isInt === true,
        min: isAboveOnly(field) ? null : (field.minValue ?? null),
        max: field.maxValue ?? null,
      }
    case 'nullable': {
      const kind = field.def.innerType ? kindOf(field.def.innerType) : null
      // An empty number is a choice of its own; an empty text stands for a file, which a form does not ask for.
      return kind?.kind === 'number' ? { ...kind, mayBeEmpty: true } : null
    }
    default:
      return null
  }
}

/** Whether the number must be above its lower bound, which is then no value of its own. */
function isAboveOnly(field: Described): boolean {
  return (field.def.checks ?? []).some(
    ({ _zod }) => _zod?.def.check === 'greater_than' && _zod.def.value === field.minValue && !_zod.def.inclusive,
  )
}
