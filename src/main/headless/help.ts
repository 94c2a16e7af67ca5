// What --help says, of options.ts and exitCodes.ts.
import { runConfigSchema } from '../../shared/runConfig.ts'
import { runSections, type SettingField, sectionGroups, settingFields } from '../../shared/settingFields.ts'
import { exitCodes } from './exitCodes.ts'
import {
  commonOptions,
  jobOptions,
  type OptionInfo,
  type OptionName,
  options,
  type SubcommandName,
  subcommandNames,
  subcommands,
} from './options.ts'

export const programName = 'fisao-studio-run'

/** In one sentence, for the top of the help and the man page. */
export const purpose = 'align, evaluate and describe with vision-language models, without a window'

const width = 100
const column = 24

export function generalHelp(): string {
  const lines = [
    `${programName}: ${purpose}`,
    '',
    `usage: ${programName} JOB.json [JOB.json ...] [OPTIONS]`,
    `       ${programName} SUBCOMMAND [OPTIONS]`,
    '',
    ...wrapped(jobText, 0),
    '',
    'Subcommands:',
    ...subcommandNames.flatMap((name) => entry(name, subcommands[name].does)),
    '',
    `${programName} SUBCOMMAND --help tells the options of a subcommand. With job files:`,
    ...optionLines(jobOptions),
    '',
    'Exit codes:',
    ...Object.values(exitCodes).flatMap(({ code, means }) => entry(String(code), means)),
    '',
    ...wrapped(signalText, 0),
    '',
    'Examples:',
    ...examples.flatMap(({ command, does }) => [`  ${programName} ${command}`, ...wrapped(does, 6)]),
  ]
  return `${lines.join('\n')}\n`
}

export const examples: readonly { readonly command: string; readonly does: string }[] = [
  {
    command: 'align --demo --out demo.fisao',
    does: 'The run of the app’s demo: a small model on drawn scenes, some minutes.',
  },
  {
    command: 'align --model ~/llava --encoder ~/clip --images ~/photos --out photos.fisao',
    does: 'An own model on own images; the workspace opens in the app.',
  },
  {
    command: 'run.json --out again.fisao --progress json',
    does: 'A run repeated from its export, with a JSON object a line on stdout.',
  },
  { command: 'export photos.fisao --step best --out aligned --merged', does: 'The best step as adapter and model.' },
  {
    command: 'evaluate photos.fisao --measure pope --images coco/val2014 --annotations instances.json',
    does: 'POPE of the model as it came and of the best step.',
  },
]

export const jobText =
  'JOB.json is a job, or the run.json of an export, which holds the job of its run. Jobs are carried out one after the ' +
  'other; the first that fails ends the command. Each writes beside its file: an alignment JOB.fisao, an evaluation or ' +
  'a description JOB.result.json, an export or a report where the job says.'

export const signalText =
  'Ctrl-C (SIGINT) and SIGTERM stop after the next commit, a second one at once. Nothing that was committed is lost, ' +
  'by kill -9 neither; start the same command again with --resume.'

export function subcommandHelp(name: SubcommandName): string {
  const { usage, does, own } = subcommands[name]
  const lines = [
    `usage: ${programName} ${name} ${usage}`,
    '',
    ...wrapped(does, 0),
    '',
    'Options:',
    ...optionLines(own),
    '',
    'As everywhere:',
    ...optionLines(commonOptions),
  ]
  return `${lines.join('\n')}\n`
}

/** Every setting of a run that --set may change. */
export function settingsHelp(): string {
  const defaults = runConfigSchema.parse({})
  const lines = runSections.flatMap((section) => {
    const { title, purpose: about } = sectionGroups[section]
    const values = defaults[section] as Readonly<Record<string, unknown>>
    const settings = settingFields(section).flatMap((field) => {
      const unit = field.unit === undefined ? '' : ` (${field.unit})`
      const said = `${field.title}${unit}. ${rangeOf(field)}; ${JSON.stringify(values[field.name])} unless the preset says otherwise.`
      return [`  ${section}.${field.name}`, ...wrapped(said, 6)]
    })
    return [`${title}: ${about}`, ...settings, '']
  })
  return `${lines.join('\n')}`
}

function rangeOf(field: SettingField): string {
  switch (field.kind) {
    case 'switch':
      return 'true or false'
    case 'choice':
      return field.choices.join(', ')
    case 'text':
      return 'A text'
    case 'number': {
      const kind = field.isInteger ? 'A whole number' : 'A number'
      const least = field.min === null ? 'above 0' : `from ${field.min}`
      const most = field.max === null ? '' : ` to ${field.max}`
      return `${kind} ${least}${most}${field.mayBeEmpty ? ', or null' : ''}`
    }
  }
}

/** As it is typed, e.g. `--out PATH`. */
export function spelled(name: OptionName): string {
  const { value, short }: OptionInfo = options[name]
  const long = value === null ? `--${name}` : `--${name} ${value}`
  return short === undefined ? long : `-${short}, ${long}`
}

function optionLines(names: readonly OptionName[]): string[] {
  return names.flatMap((name) => entry(spelled(name), options[name].help))
}

function entry(head: string, text: string): string[] {
  const [first = '', ...rest] = wrapped(text, column)
  return [`  ${head.padEnd(column - 2)}${first.trimStart()}`, ...rest]
}

/** Lines of at most {@link width} characters. */
function wrapped(text: string, indent: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > width) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((one) => ' '.repeat(indent) + one)
}
