// What a machine lacks, and the one command that a person without root reads.
import { expect, test } from 'vitest'
import { currentName, installMessage, parseLdd, plan } from './systemLibraries.ts'

const bareMachine = { missing: () => ['libnss3.so', 'libgbm.so.1'], display: true, compiler: true }
const hasNothing = () => false
const hasEverything = () => true

test('reads the missing libraries from ldd', () => {
  const text = `	linux-vdso.so.1 (0x00007ffd)
	libnss3.so => not found
	libc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)
	libgbm.so.1 => not found
`
  expect(parseLdd(text)).toEqual(['libnss3.so', 'libgbm.so.1'])
})

test('asks for nothing on a machine that has everything', () => {
  expect(plan({ missing: () => [], display: true, compiler: true }, hasEverything).packages).toEqual([])
})

test('asks for a display and a compiler only where they are needed', () => {
  expect(plan({ missing: () => [], display: false, compiler: false }, hasNothing).packages).toEqual([])
  expect(plan({ missing: () => [], display: true, compiler: false }, hasNothing).packages).toContain('xvfb')
  expect(plan({ missing: () => [], display: false, compiler: true }, hasNothing).packages).toContain('g++')
})

test('asks for strace only where system calls are recorded', () => {
  const need = { missing: () => [], display: false, compiler: false }
  expect(plan({ ...need, tracer: true }, hasNothing).packages).toEqual(['strace'])
  expect(plan({ ...need, tracer: true }, hasEverything).packages).toEqual([])
  expect(plan(need, hasNothing).packages).toEqual([])
})

test('says what is missing and the one command to run', () => {
  const message = installMessage(plan(bareMachine, hasNothing), () => false)
  expect(message).toContain(
    'lacks libnss3.so, libgbm.so.1, Xvfb (a display for runs without a screen), a C++ compiler.',
  )
  expect(message).toMatch(
    /\n {2}sudo apt-get update && sudo apt-get install -y --no-install-recommends libgtk-3-0 libnss3 .*xvfb .*g\+\+$/,
  )
})

test('uses the names of releases that renamed libraries for 64-bit time', () => {
  const onNoble = (name: string) => ['libasound2t64', 'libgtk-3-0t64', 'libcups2t64'].includes(name)
  expect(['libasound2', 'libgtk-3-0', 'libnss3'].map((name) => currentName(name, onNoble))).toEqual([
    'libasound2t64',
    'libgtk-3-0t64',
    'libnss3',
  ])
})
