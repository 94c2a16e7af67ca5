// The command line, read: which subcommand or job files, with which options. Before it stands what a person typed, after it
// run.ts. Values that only make sense together are looked at by whoever uses them.
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { StudioError } from '../../shared/errors.ts'
import { type DeviceName, deviceNames } from '../../shared/hardware.ts'
import { programName, spelled } from './help.ts'
import {
  jobOptions,
  type OptionInfo,
  type OptionName,
  options,
  optionsOf,
  type SubcommandName,
  subcommandNames,
} from './options.ts'

export const progressForms = ['bar', 'json', 'none'] as const
export type ProgressForm = (typeof progressForms)[number]

/** What was typed after the subcommand, or after the program's name. */
export class Given {
  readonly subcommand: SubcommandName | null
  readonly positionals: readonly string[]
  readonly #values: Readonly<Record<string, unknown>>
  readonly #folder: string

  constructor(
    subcommand: SubcommandName | null,
    positionals: readonly string[],
    values: Readonly<Record<string, unknown>>,
    folder: string,
  ) {
    this.subcommand = subcommand
    this.positionals = positionals
    this.#values = values
    this.#folder = folder
  }

  has(name: OptionName): boolean {
    return this.#values[name] !== undefined
  }

  text(name: OptionName): string | null {
    const value = this.#values[name]
    return typeof value === 'string' ? value : null
  }

  texts(name: OptionName): readonly string[] {
    const value = this.#values[name]
    return Array.isArray(value) ? value.map(String) : []
  }

  /** A full path, from the folder that the command was started in. */
  path(name: OptionName): string | null {
    const value = this.text(name)
    return value === null ? null : this.fullPath(value)
  }

  paths(name: OptionName): readonly string[] {
    return this.texts(name).map((path) => this.fullPath(path))
  }

  fullPath(path: string): string {
    return resolve(this.#folder, path)
  }

  /** @throws StudioError `app.usage` when it is left out */
  needed(name: OptionName): string {
    const value = this.text(name)
    if (value === null || value === '') throw usageError(`${spelled(name)} is missing.`, this.subcommand)
    return value
  }

  neededPath(name: OptionName): string {
    return this.fullPath(this.needed(name))
  }

  /** @throws StudioError `app.usage` */
  integer(name: OptionName, least: number, most: number): number | null {
    const value = this.#number(name, least, most)
    if (value === null || Number.isInteger(value)) return value
    throw usageError(
      `--${name} takes a whole number from ${least} to ${most}, not “${this.text(name)}”.`,
      this.subcommand,
    )
  }

  /** @throws StudioError `app.usage` */
  fraction(name: OptionName, least: number, most: number): number | null {
    return this.#number(name, least, most)
  }

  #number(name: OptionName, least: number, most: number): number | null {
    const text = this.text(name)
    if (text === null) return null
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (value >= least && value <= most) return value
    throw usageError(`--${name} takes a number from ${least} to ${most}, not “${text}”.`, this.subcommand)
  }

  /** @throws StudioError `app.usage` when it is none of them */
  oneOf<Choice extends string>(name: OptionName, choices: readonly Choice[]): Choice | null {
    const text = this.text(name)
    if (text === null) return null
    const found = choices.find((choice) => choice === text)
    if (found !== undefined) return found
    throw usageError(`--${name} takes one of ${choices.join(', ')}, not “${text}”.`, this.subcommand)
  }

  get progress(): ProgressForm {
    return this.oneOf('progress', progressForms) ?? 'bar'
  }

  get threads(): number | null {
    return this.integer('threads', 1, 1024)
  }

  get device(): DeviceName | null {
    return this.oneOf('device', deviceNames)
  }

  /** The one thing that a subcommand is about. @throws StudioError `app.usage` when there is none, or more */
  only(what: string): string {
    const [first, ...more] = this.positionals
    if (first === undefined) throw usageError(`Name ${what}.`, this.subcommand)
    if (more.length > 0) throw usageError(`One at a time: ${more.join(' ')} is too much.`, this.subcommand)
    return this.fullPath(first)
  }
}

/**
 * @param folder that relative paths are meant from
 * @throws StudioError `app.usage`
 */
export function readCommandLine(args: readonly string[], folder: string): Given {
  const [first] = args
  const subcommand = subcommandNames.find((name) => name === first) ?? null
  const { values, positionals } = parsed(subcommand === null ? args : args.slice(1), subcommand)
  const known = subcommand === null ? jobOptions : optionsOf(subcommand)
  const strange = Object.keys(values).find((name) => !known.includes(name as OptionName))
  if (strange !== undefined) {
    const [whose, mayHelp] =
      subcommand === null ? ['A job', ' Everything else stands in the job.'] : [`The subcommand ${subcommand}`, '']
    throw usageError(`${whose} takes no --${strange}.${mayHelp}`, subcommand)
  }
  const asked = positionals[0]
  if (subcommand === null && asked !== undefined && /^[a-z]+$/.test(asked)) {
    throw usageError(`There is no subcommand ${asked}; there are ${subcommandNames.join(', ')}.`, null)
  }
  return new Given(subcommand, positionals, values, folder)
}

function parsed(args: readonly string[], subcommand: SubcommandName | null) {
  const known = Object.entries(options).map(([name, { value, isMultiple, short }]: [string, OptionInfo]) => [
    name,
    {
      type: value === null ? ('boolean' as const) : ('string' as const),
      ...(isMultiple && { multiple: true }),
      ...(short !== undefined && { short }),
    },
  ])
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: Object.fromEntries(known) })
  } catch (cause) {
    // Node's own sentences go on with advice that does not fit here.
    const [sentence = ''] = (cause as Error).message.split(/(?<=[.'])\s+To specify|\. To specify/)
    throw usageError(sentence.endsWith('.') ? sentence : `${sentence}.`, subcommand)
  }
}

export function usageError(message: string, subcommand: SubcommandName | null): StudioError {
  const remedy = `“${[programName, ...(subcommand === null ? [] : [subcommand]), '--help'].join(' ')}” tells what there is.`
  return new StudioError({ code: 'app.usage', message, remedy })
}
