// What --help says, of options.ts and exitCodes.ts.
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
  ]
  return `${lines.join('\n')}\n`
}

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
