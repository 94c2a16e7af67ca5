// What a person types: refused in one sentence when it cannot be understood, and the resources found from wherever a package
// puts the program.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readCommandLine } from './commandLine.ts'
import { resourcesFolder, resourcesVariable } from './resources.ts'

const home = mkdtempSync(join(tmpdir(), 'fisao-command-line-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

test.each([
  [['--colour'], "Unknown option '--colour'."],
  [['align', '--model'], "Option '--model <value>' argument missing."],
  [
    ['alinge'],
    'There is no subcommand alinge; there are align, evaluate, describe, export, inspect, report, sweep, cell, work, collect.',
  ],
  [['job.json', '--model', 'x'], 'A job takes no --model. Everything else stands in the job.'],
  [['inspect', '--threads', '2'], 'The subcommand inspect takes no --threads.'],
])('%j is refused', (args, message) => {
  expect(() => readCommandLine(args, '/')).toThrow(expect.objectContaining({ code: 'app.usage', message }))
})

test.each([
  ['0', 'a number from 1 to 1024'],
  ['NaN', 'a number from 1 to 1024'],
  ['1.5', 'a whole number from 1 to 1024'],
  ['', 'a number from 1 to 1024'],
  ['1e9', 'a number from 1 to 1024'],
])('%j threads are refused', (typed, words) => {
  expect(() => readCommandLine(['job.json', `--threads=${typed}`], '/').threads).toThrow(words)
})

test('values are read: numbers, paths from where the command was started, several of one kind', () => {
  const given = readCommandLine(
    ['align', '--images', 'a', '--images', '/b', '--seed', '7', '--progress=json'],
    '/home/me',
  )
  expect(given.paths('images')).toEqual(['/home/me/a', '/b'])
  expect([given.integer('seed', 0, 10), given.progress, given.threads]).toEqual([7, 'json', null])
  expect(() => readCommandLine(['job.json', '--progress', 'loud'], '/').progress).toThrow('bar, json, none, not “loud”')
})

test('resources are found from the layouts of a checkout and of packages, or where they are said to be', () => {
  for (const [installed, program, resources] of [
    ['checkout', 'out/headless/parts', 'resources'],
    ['folder', 'resources/app/out/headless', 'resources/resources'],
    ['archive', 'resources/app.asar.unpacked/out/headless/parts', 'resources/resources'],
  ] as const) {
    mkdirSync(join(home, installed, program), { recursive: true })
    mkdirSync(join(home, installed, resources, 'lexicons'), { recursive: true })
    expect(resourcesFolder(null, join(home, installed, program), {})).toBe(join(home, installed, resources))
  }
  const [from, told] = [join(home, 'folder/resources/app/out/headless'), join(home, 'checkout/resources')]
  expect(resourcesFolder(null, from, { [resourcesVariable]: told })).toBe(told)
  expect(resourcesFolder(told, from, { [resourcesVariable]: '/nowhere' })).toBe(told)
  // What was said is not guessed at.
  expect(() => resourcesFolder(null, from, { [resourcesVariable]: '/nowhere' })).toThrow(
    expect.objectContaining({ code: 'app.no-resources', where: '/nowhere' }),
  )
})
