// Damaged workspace files: each case either reads the right data or is refused with a sentence, a remedy and a way back
// that works. Never other data without a word. FISAO_FLIPS, FISAO_ZEROED_BLOCKS, FISAO_TORN_LOGS and FISAO_LOG_FLIPS ask
// for more cases, as FISAO_THOROUGH does, FISAO_DAMAGE_SEED for others.
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { StudioError } from '../../shared/errors.ts'
import { isComplete } from '../../shared/salvage.ts'
import { listBackups, restoreBackup, takeBackup } from './backup.ts'
import { closeWorkspace, createWorkspace, openWorkspace, prepareWorkspace } from './open.ts'
import { sha256 } from './rowHash.ts'
import { inspectDamage, salvageWorkspace } from './salvage.ts'
import { writeSetting } from './settings.ts'
import {
  type Answer,
  compareAnswers,
  fillWorkspace,
  noise,
  readEverything,
  strangersIn,
} from './testing/fullWorkspace.ts'

const numberOf = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise)
const seed = numberOf('FISAO_DAMAGE_SEED', 20266)
const isThorough = process.env.FISAO_THOROUGH === 'yes'
const cases = {
  flips: numberOf('FISAO_FLIPS', isThorough ? 12 : 6),
  zeroedBlocks: numberOf('FISAO_ZEROED_BLOCKS', isThorough ? 6 : 3),
  tornLogs: numberOf('FISAO_TORN_LOGS', 40),
  logFlips: numberOf('FISAO_LOG_FLIPS', 24),
}
const blockBytes = 4096

/** The `index`th number in [0, below) of a stream by the seed. */
function drawn(stream: string, index: number, below: number): number {
  return sha256(Buffer.from(`${seed} ${stream} ${index}`)).readUIntBE(0, 6) % below
}

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fisao-damage-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What is in a workspace, opened as the app opens it. @throws StudioError that refuses it */
async function readAll(path: string): Promise<Map<string, Answer>> {
  await prepareWorkspace(path)
  const db = openWorkspace(path)
  try {
    return readEverything(db)
  } finally {
    closeWorkspace(db)
  }
}

interface Outcomes {
  same: number
  told: number
  refused: number
  readonly salvaged: Partial<Record<Salvaged, number>>
  readonly different: string[]
}

describeDamage('single-bit flips', 'flips', (path, index) => {
  const bit = drawn('bit', index, statSync(path).size * 8)
  const file = openSync(path, 'r+')
  const byte = Buffer.alloc(1)
  readSync(file, byte, 0, 1, bit >> 3)
  writeSync(file, Buffer.of(byte[0]! ^ (1 << (bit & 7))), 0, 1, bit >> 3)
  closeSync(file)
  return `bit ${bit & 7} of byte ${bit >> 3}`
})

describeDamage('zeroed blocks of 4096 bytes', 'zeroedBlocks', (path, index) => {
  const block = drawn('block', index, statSync(path).size / blockBytes)
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.alloc(blockBytes), 0, blockBytes, block * blockBytes)
  closeSync(file)
  return `block ${block}`
})

/** Damages copies of a workspace in a way, and finds what becomes of each. */
function describeDamage(
  name: string,
  kind: 'flips' | 'zeroedBlocks',
  harm: (path: string, index: number) => string,
): void {
  const count = cases[kind]
  test(`${count} ${name}: the right data, or refused with a way back`, {
    timeout: 120_000 + count * 10_000,
  }, async () => {
    const path = join(folder, `${kind}.fisao`)
    createWorkspace(path)
    const db = openWorkspace(path)
    fillWorkspace(db, { images: 240, steps: 12, weightBytes: 1_500_000 })
    await takeBackup(db, path)
    closeWorkspace(db)
    const expected = await readAll(path)
    const whole = join(folder, `${kind} whole`)
    copyFileSync(path, whole)
    const outcomes: Outcomes = { same: 0, told: 0, refused: 0, salvaged: {}, different: [] }
    for (let index = 0; index < count; index++) {
      for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
      copyFileSync(whole, path)
      const what = harm(path, index)
      try {
        const { outcome, where } = compareAnswers(expected, await readAll(path))
        if (outcome === 'different') outcomes.different.push(`${what}: ${where}`)
        else outcomes[outcome]++
      } catch (thrown) {
        const salvaged = await expectWayBack(path, thrown, what, expected)
        outcomes.refused++
        outcomes.salvaged[salvaged] = (outcomes.salvaged[salvaged] ?? 0) + 1
      }
    }
    process.stdout.write(`${name}: n ${count}, seed ${seed}, ${JSON.stringify(outcomes)}\n`)
    expect(outcomes.different).toEqual([])
  })
}

/** A refusal has a sentence and a remedy, and the backup brings everything back. */
async function expectWayBack(
  path: string,
  thrown: unknown,
  what: string,
  expected: Map<string, Answer>,
): Promise<Salvaged> {
  if (!(thrown instanceof StudioError)) throw new Error(`${what}: ${String(thrown)}`, { cause: thrown })
  expect([what, thrown.code]).toEqual([what, 'workspace.damaged'])
  expect(thrown.message).toMatch(/^[A-Z].{20,}\.$/)
  expect(thrown.remedy).toMatch(/^[A-Z].{20,}\.$/)
  const salvaged = await expectSalvage(path, what, expected)
  const keptAs = await restoreBackup(path, listBackups(path)[0]!.path)
  expect(compareAnswers(expected, await readAll(path)).where).toBe('')
  removeWorkspace(keptAs)
  return salvaged
}

type Salvaged = 'complete' | 'with losses' | 'with changed values' | 'nothing'

/** What can be read of the damaged file is what was there, and everything is when it says so. */
async function expectSalvage(path: string, what: string, expected: Map<string, Answer>): Promise<Salvaged> {
  const announced = inspectDamage(path)
  if (!announced) return 'nothing'
  const { report, keptAs } = salvageWorkspace(path)
  expect(report).toEqual(announced)
  const found = await readAll(path)
  // Embeddings that are lost are computed anew.
  if (isComplete(report))
    expect([what, compareAnswers(expected, found).where]).toEqual([what, expect.stringMatching(/^(embedding|$)/)])
  else expect([what, strangersIn(expected, found, report.changedTables)]).toEqual([what, []])
  removeWorkspace(keptAs)
  if (isComplete(report)) return 'complete'
  return report.changedTables.length > 0 ? 'with changed values' : 'with losses'
}

function removeWorkspace(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
}

/** A workspace whose commits are all in its log, with the file, the log, its size and the content after each commit. */
async function loggedWorkspace(name: string) {
  const path = join(folder, `${name}.fisao`)
  createWorkspace(path)
  const db = openWorkspace(path)
  db.pragma('wal_autocheckpoint = 0')
  const sizes: number[] = [0]
  const contents = [readEverything(db)]
  fillWorkspace(db, { images: 6, steps: 2, weightBytes: 20_000 })
  for (let commit = 1; commit <= 12; commit++) {
    writeSetting(db, 'commit', { commit, text: 'x'.repeat(drawn('length', commit, 9000)) })
    sizes.push(statSync(`${path}-wal`).size)
    contents.push(readEverything(db))
  }
  const [file, log] = [readFileSync(path), readFileSync(`${path}-wal`)]
  closeWorkspace(db)
  return { file, log, sizes, contents }
}

/** Writes file and log into a folder of their own. */
function placeFiles(name: string, file: Buffer, log: Buffer): string {
  const place = join(folder, name)
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place)
  writeFileSync(join(place, 'work.fisao'), file)
  writeFileSync(join(place, 'work.fisao-wal'), log)
  return join(place, 'work.fisao')
}

test(`${cases.tornLogs} torn logs open at their last whole commit`, {
  timeout: 60_000 + cases.tornLogs * 5_000,
}, async () => {
  const { file, log, sizes, contents } = await loggedWorkspace('torn')
  const first = sizes[1]! - 20_000
  for (let index = 0; index < cases.tornLogs; index++) {
    const length = first + drawn('torn', index, log.length - first + 1)
    const lost = log.length - length
    // What a power cut leaves behind the tear: nothing, zeros, or what stood on the disk.
    const tail = [Buffer.alloc(0), Buffer.alloc(lost), Buffer.from(noise(`tail ${index}`, lost))][index % 3]!
    const torn = Buffer.concat([log.subarray(0, length), tail])
    const path = placeFiles('torn', file, torn)
    // A tear inside zeros that are replaced by zeros is none.
    const commits = sizes.findLastIndex((size) => torn.subarray(0, size).equals(log.subarray(0, size)))
    const found = await readAll(path)
    if (commits > 0) {
      expect([index, compareAnswers(contents[commits]!, found)]).toEqual([index, { outcome: 'same', where: '' }])
    }
  }
  process.stdout.write(`torn logs: n ${cases.tornLogs}, seed ${seed}, all at their last whole commit\n`)
})

test(`${cases.logFlips} flipped bits in a log: told, or no more than the last commit is missing`, {
  timeout: 60_000 + cases.logFlips * 5_000,
}, async () => {
  const { file, log, contents } = await loggedWorkspace('flipped')
  const outcomes = { same: 0, refused: 0, atTheCommitBefore: 0 }
  for (let index = 0; index < cases.logFlips; index++) {
    const bit = drawn('log bit', index, log.length * 8)
    const flipped = Buffer.from(log)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    const path = placeFiles('flipped', file, flipped)
    try {
      const found = await readAll(path)
      const before = contents.findLastIndex((content) => compareAnswers(content, found).outcome === 'same')
      expect([bit, before]).toEqual([bit, expect.toBeOneOf([contents.length - 1, contents.length - 2])])
      if (before === contents.length - 1) outcomes.same++
      else outcomes.atTheCommitBefore++
    } catch (thrown) {
      expect([bit, thrown]).toEqual([bit, expect.objectContaining({ code: 'workspace.damaged' })])
      outcomes.refused++
    }
  }
  process.stdout.write(`flips in a log: n ${cases.logFlips}, seed ${seed}, ${JSON.stringify(outcomes)}\n`)
})
