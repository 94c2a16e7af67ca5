// The flags that reach the app, and which of Chromium's complaints are kept from a person.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { demoArguments, isChromiumNoise } from './launch.ts'
import { projectRoot } from './runProgram.ts'

test('gives the demo a folder that Chromium reads, however it was written', () => {
  expect(demoArguments(['--demo'], '/home/a')).toEqual(['--demo', `--out=${join(projectRoot, 'demo-output')}`])
  expect(demoArguments(['--demo', '--out', 'x', '--seed=1'], '/home/a')).toEqual([
    '--demo',
    '--seed=1',
    '--out=/home/a/x',
  ])
  expect(demoArguments(['--demo', '--out=/b=c'], '/home/a')).toEqual(['--demo', '--out=/b=c'])
})

test('takes the value of a flag from behind it, and leaves flags of Chromium alone', () => {
  const args = ['--demo', '--seed', '3', '--reward=dpo', '--log-net-log=/n', '--out', '/o']
  expect(demoArguments(args, '/')).toEqual(['--demo', '--seed=3', '--reward=dpo', '--log-net-log=/n', '--out=/o'])
})

test.each([
  [['--out'], '--out needs a folder'],
  [['--seed', 'many'], '--seed needs a whole number'],
  [['--reward=words'], '--reward is one of token, sentence, dpo, none'],
  [['--preset'], '--preset is one of quick-look, paper, thorough'],
])('refuses %j', (args, message) => {
  expect(() => demoArguments(['--demo', ...args], '/home/a')).toThrow(message)
})

test("hides complaints about a missing bus, and nothing of the app's", () => {
  const bus = '[714:1124/140833.959949:ERROR:bus.cc(407)] Failed to connect to the bus: No such file or directory'
  expect(isChromiumNoise(bus)).toBe(true)
  expect(isChromiumNoise('[714:1124/140833.959949:ERROR:main.cc(1)] Cannot read the page')).toBe(false)
  expect(isChromiumNoise('The demo failed: Failed to connect to the bus')).toBe(false)
})
