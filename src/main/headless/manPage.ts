// The man page, of the same tables as --help: resources/man/fisao-studio-run.1, written by scripts/manPage.ts and held to this by
// a test. In the macros of man(7).
import { exitCodes } from './exitCodes.ts'
import { examples, jobText, programName, purpose, signalText, spelled } from './help.ts'
import { commonOptions, jobOptions, type OptionName, options, subcommandNames, subcommands } from './options.ts'
import { resourcesVariable } from './resources.ts'
import { version } from './version.ts'

/** Where it lies, below the resources. */
export const manPageFile = `man/${programName}.1`

export function manPage(): string {
  const lines = [
    `.\\" Written by scripts/manPage.ts from the tables of src/main/headless; change those.`,
    `.TH ${programName.toUpperCase().replaceAll('-', '\\-')} 1 "" "FiSAO Studio ${version}" "FiSAO Studio"`,
    ...['.SH NAME', `${plain(programName)} \\- ${plain(purpose)}`],
    '.SH SYNOPSIS',
    ...synopsis('JOB.json [JOB.json ...] [OPTIONS]'),
    ...subcommandNames.flatMap((name) => ['.br', ...synopsis(`${name} ${subcommands[name].usage}`)]),
    ...['.SH DESCRIPTION', plain(jobText)],
    '.SH SUBCOMMANDS',
    ...subcommandNames.flatMap((name) => {
      const { does, own } = subcommands[name]
      const names = own.map((option) => `\\fB${plain(`--${option}`)}\\fR`).join(', ')
      return ['.TP', `.B ${name}`, plain(does), '.br', `Options: ${names}.`]
    }),
    '.SH OPTIONS',
    `Those of job files: ${listed(jobOptions)}. Every subcommand takes ${listed(commonOptions)}, and those named with it.`,
    ...(Object.keys(options) as OptionName[]).flatMap((name) => [
      '.TP',
      `.B ${plain(spelled(name))}`,
      plain(options[name].help),
    ]),
    '.SH SIGNALS',
    plain(signalText),
    '.SH EXIT STATUS',
    ...Object.values(exitCodes).flatMap(({ code, means }) => ['.TP', `.B ${code}`, plain(means)]),
    '.SH ENVIRONMENT',
    ...[
      '.TP',
      `.B ${resourcesVariable}`,
      plain('The folder with lexicons, demo model and sample scenes, as --resources.'),
    ],
    '.SH EXAMPLES',
    ...examples.flatMap(({ command, does }) => ['.TP', `.B ${plain(`${programName} ${command}`)}`, plain(does)]),
    '.SH NOTES',
    'Nothing is sent anywhere: the program opens no network connection. A report as PDF is printed by the window of the app.',
  ]
  return `${lines.join('\n')}\n`
}

function synopsis(usage: string): string[] {
  return [`\\fB${plain(programName)}\\fR ${plain(usage)}`]
}

function listed(names: readonly OptionName[]): string {
  return names.map((name) => `\\fB${plain(`--${name}`)}\\fR`).join(', ')
}

/** A text that troff takes as it is: hyphens that can be copied, no line that begins like a request. */
function plain(text: string): string {
  const escaped = text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('’', '\\(cq').replaceAll('~', '\\(ti')
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped
}
