// Help, man page and code say the same: every option and exit code of the tables stands in all of them, the man page in the
// resources is the one of the tables, and every code of an error in the source has a kind.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readCommandLine } from './commandLine.ts'
import { exitCodeOf, exitCodes, knownBeginnings } from './exitCodes.ts'
import { generalHelp, settingsHelp, spelled, subcommandHelp } from './help.ts'
import { manPage, manPageFile } from './manPage.ts'
import { jobOptions, type OptionInfo, type OptionName, options, optionsOf, subcommandNames } from './options.ts'

const project = join(import.meta.dirname, '../../..')
const optionNames = Object.keys(options) as OptionName[]
const plainMan = manPage().replaceAll('\\-', '-').replaceAll('\\fB', '').replaceAll('\\fR', '')

test('the man page in the resources is the one of the tables', () => {
  expect(readFileSync(join(project, 'resources', manPageFile), 'utf8')).toBe(manPage())
})

test('the page for technicians has the exit codes of the table', () => {
  const page = readFileSync(join(project, 'docs/headless.md'), 'utf8')
  const rows = [...page.matchAll(/^\| (\d+) \| (.+) \|$/gm)].map(([, code, means]) => [Number(code), means])
  expect(rows).toEqual(Object.values(exitCodes).map(({ code, means }) => [code, means]))
})

test('help and man page name every subcommand, option and exit code, and no more', () => {
  for (const name of subcommandNames) {
    const help = subcommandHelp(name)
    const told = [...help.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)].map(([, option]) => option)
    expect(told.sort()).toEqual([...optionsOf(name)].sort())
    expect(generalHelp()).toContain(`  ${name} `)
    expect(plainMan).toContain(`\n.B ${name}\n`)
  }
  for (const name of optionNames) expect(plainMan).toContain(`\n.B ${spelled(name)}\n`)
  for (const { code, means } of Object.values(exitCodes)) {
    expect(plainMan).toContain(`\n.B ${code}\n`)
    expect(generalHelp().replace(/\s+/g, ' ')).toContain(` ${code} ${means}`)
  }
})

test('every option is of some subcommand or of job files, and refused by the others', () => {
  for (const option of optionNames) {
    const { value }: OptionInfo = options[option]
    const typed = value === null ? [`--${option}`] : [`--${option}`, '1']
    const takers = subcommandNames.filter((name) => optionsOf(name).includes(option))
    expect(takers.length + Number(jobOptions.includes(option)), option).toBeGreaterThan(0)
    for (const name of subcommandNames) {
      const read = () => readCommandLine([name, ...typed], '/')
      if (takers.includes(name)) expect(read().has(option)).toBe(true)
      else expect(read).toThrow(`The subcommand ${name} takes no --${option}.`)
    }
  }
})

test('lines of the help fit a terminal of 100 columns', () => {
  const texts = [generalHelp(), settingsHelp(), ...subcommandNames.map(subcommandHelp)]
  const long = texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.length > 100 && !/^( {2}|usage:)/.test(line))
  expect(long).toEqual([])
  expect(settingsHelp()).toMatch(
    /optimiser\.learningRate\n +Learning rate of the adapter\. A number above 0 to 1; 0\.0003 unless/,
  )
})

/** Every code that an error of the engine, the database and this command is made with. */
function codesOfSource(): Set<string> {
  const files = ['src/main/engine', 'src/main/db', 'src/main/headless', 'src/main/library', 'src/shared'].flatMap(
    (folder) =>
      readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts') && !/test|testing/.test(name))
        .map((name) => join(project, folder, name)),
  )
  const text = files.map((file) => readFileSync(file, 'utf8')).join('\n')
  return new Set([...text.matchAll(/code: '([a-z]+\.[a-z-]+)'/g)].map(([, code]) => code as string))
}

/** Of the program itself, or asked for by a person of the app alone. */
const internal =
  /^(graph|ipc|engine)\.|^app\.unexpected$|^run\.(cancelled|unexpected|wrong-state|unequal-rows|token-span|random-state|no-response|no-pair|no-model|no-evaluation|missing-gradient|damaged-response|bootstrap|baselines|bad-score|bad-optimiser-state)$/

test('every error has a kind of exit code, or is one of the program itself', () => {
  const codes = [...codesOfSource()]
  expect(codes.length).toBeGreaterThan(90)
  const unkind = codes.filter(
    (code) => !knownBeginnings.some((begins) => code.startsWith(begins)) && !internal.test(code),
  )
  expect(unkind).toEqual([])
  const none = { message: '', remedy: '' }
  expect(exitCodeOf({ code: 'workspace.disk-full', ...none }, null)).toBe(7)
  expect(exitCodeOf({ code: 'workspace.in-use', ...none }, null)).toBe(8)
  expect(exitCodeOf({ code: 'run.cancelled', ...none }, 'SIGTERM')).toBe(143)
  expect(exitCodeOf({ code: 'graph.feed', ...none }, null)).toBe(1)
})
