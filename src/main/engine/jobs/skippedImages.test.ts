// Images that vanish, change or break under a run: it leaves them out, says so, and is otherwise the same run; when most
// are gone at once it stops with a sentence and goes on where it was. Files, model, sessions and workspace are real.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { RunId } from '../../../shared/domain.ts'
import { presetConfig } from '../../../shared/runConfig.ts'
import type { WritableDb } from '../../db/connection.ts'
import { createWorkspace, openWorkspace } from '../../db/open.ts'
import { countSkippedImages, skippedImages } from '../../db/skippedImages.ts'
import { addDemoRun, addSampleScenes, contentOf, demoLexicon, sampleScenes, shortConfig } from './testing/demoRun.ts'
import { alignRun, evaluateRun, exportRun } from './workspaceJobs.ts'

const home = mkdtempSync(join(tmpdir(), 'fisao-skipped-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const images = 24
/** Two steps with a look at each: a run takes a few seconds. */
const config = presetConfig('quick-look', {
  ...shortConfig,
  calibration: { responses: 32, goOnRefused: true },
  optimiser: { ...shortConfig.optimiser, stepsPerRound: 2 },
  evaluation: { everySteps: 1, images: 6 },
})
let number = 0

interface Given {
  readonly db: WritableDb
  readonly folder: string
  readonly runId: RunId
}

/** A workspace with a run over copies of the first sample scenes. */
function newRun(): Given {
  const folder = join(home, `scenes ${++number}`)
  mkdirSync(folder)
  const names = readdirSync(sampleScenes).sort().slice(0, images)
  for (const name of names) copyFileSync(join(sampleScenes, name), join(folder, name))
  const path = join(home, `${number}.fisao`)
  createWorkspace(path)
  const db = openWorkspace(path)
  addSampleScenes(db, images, 0, folder)
  return { db, folder, runId: addDemoRun(db, images, { config }) }
}

let whole: Given
beforeAll(async () => {
  whole = newRun()
  await align(whole)
}, 60_000)

/** Lets the run work to its end, or until it is about to do something at this step. */
async function align({ db, runId }: Given, stopAt = Number.POSITIVE_INFINITY): Promise<void> {
  const abort = new AbortController()
  const request = { runId, device: 'cpu', threads: 1, lexicon: demoLexicon } as const
  await alignRun(db, request, ({ step }) => step >= stopAt && abort.abort(), abort.signal)
}

/** What goes wrong with the first files of a folder, in the order of their names. */
function damageFive(db: WritableDb, folder: string): Record<string, string> {
  const [gone, other, cut, pipe, place] = readdirSync(folder).sort() as [string, string, string, string, string]
  rmSync(join(folder, gone))
  copyFileSync(join(folder, place), join(folder, other))
  // Cut short before it was added, as an importer of another version may have let through: its hash is right.
  const bytes = readFileSync(join(folder, cut)).subarray(0, 3000)
  writeFileSync(join(folder, cut), bytes)
  db.prepare('UPDATE image SET sha256 = ? WHERE name = ?').run(createHash('sha256').update(bytes).digest(), cut)
  rmSync(join(folder, pipe))
  execFileSync('mkfifo', [join(folder, pipe)])
  rmSync(join(folder, place))
  mkdirSync(join(folder, place))
  return {
    ...{ [gone]: 'image.missing', [other]: 'image.changed', [cut]: 'image.damaged' },
    ...{ [pipe]: 'image.unreadable', [place]: 'image.unreadable' },
  }
}

describe('a run over images of which five cannot be read', { timeout: 60_000 }, () => {
  let broken: Given
  let expected: Record<string, string>
  beforeAll(async () => {
    broken = newRun()
    expected = damageFive(broken.db, broken.folder)
    await align(broken)
  }, 60_000)

  test('leaves them out by name and reason', () => {
    expect(countSkippedImages(whole.db, whole.runId)).toBe(0)
    expect(countSkippedImages(broken.db, broken.runId)).toBe(5)
    const found = skippedImages(broken.db, broken.runId, 100)
    expect(Object.fromEntries(found.map(({ name, code }) => [name, code]))).toEqual(expected)
    expect(found.every(({ path, step, times }) => path.startsWith(broken.folder) && step <= 2 && times >= 1)).toBe(true)
    const names = JSON.stringify(Object.keys(expected))
    const of = (from: string) =>
      broken.db.prepare(`SELECT count(*) AS n FROM ${from} AND name IN (SELECT value FROM json_each(?))`).get(names)
    expect(of('rollout JOIN image USING (image_id) WHERE true')).toEqual({ n: 0 })
    // Nor is the embedding of another picture kept under the hash of the one whose place it took.
    expect(of("embedding JOIN image ON image.sha256 = subject_sha256 WHERE kind = 'image'")).toEqual({ n: 0 })
  })

  test('gives every other image the response that it would have got before training', () => {
    const [all, some] = [firstLook(whole), firstLook(broken)]
    for (const [name, text] of all) expect(some.get(name)).toBe(name in expected ? undefined : text)
    expect(some.size).toBeGreaterThan(0)
  })

  test('names them in its export', async () => {
    const out = join(home, 'export')
    await exportRun(broken.db, { runId: broken.runId, step: 0, strength: 1, folder: out, merged: false })
    const bundle = JSON.parse(readFileSync(join(out, 'run.json'), 'utf8'))
    expect(bundle.skippedImages.map(({ name }: { name: string }) => name)).toEqual(Object.keys(expected))
  })

  test('paused and resumed, ends as without a break', async () => {
    const paused = newRun()
    damageFive(paused.db, paused.folder)
    await expect(align(paused, 1)).rejects.toMatchObject({ code: 'run.cancelled' })
    await align(paused)
    expect(contentOf(paused.db, paused.runId)).toEqual(contentOf(broken.db, broken.runId))
  })
})

/** Texts of the look at the model as it came, by the image's name. */
function firstLook({ db }: Given): Map<string, string> {
  const rows = db
    .prepare<[], { name: string; text: string }>(
      "SELECT name, text FROM rollout JOIN image USING (image_id) WHERE step = 0 AND purpose = 'evaluation'",
    )
    .all()
  return new Map(rows.map(({ name, text }) => [name, text]))
}

test('a drive that is gone stops the run in words; when it is back the run goes on to the same end', {
  timeout: 60_000,
}, async () => {
  const given = newRun()
  const away = `${given.folder} away`
  const withoutDrive = async (work: () => Promise<void>) => {
    renameSync(given.folder, away)
    await work()
    renameSync(away, given.folder)
  }
  const missing = { code: 'run.images-missing', where: expect.stringContaining(given.folder) }
  await withoutDrive(() =>
    expect(align(given)).rejects.toMatchObject({ ...missing, message: expect.stringMatching(/^18 of 18 images/) }),
  )
  await expect(align(given, 1)).rejects.toMatchObject({ code: 'run.cancelled' })
  await withoutDrive(() => expect(align(given)).rejects.toMatchObject(missing))
  await align(given)
  expect(contentOf(given.db, given.runId)).toEqual(contentOf(whole.db, whole.runId))
})

describe('an evaluation', { timeout: 60_000 }, () => {
  const annotations = join(sampleScenes, '../annotations.json')

  test('leaves out images that are damaged, in both of its policies', async () => {
    const { db, folder, runId } = whole
    const [cut] = readdirSync(folder).sort() as [string]
    writeFileSync(join(folder, cut), readFileSync(join(folder, cut)).subarray(0, 2000))
    const request = {
      ...({ runId, device: 'cpu' } as const),
      ...{ threads: 1, lexicon: demoLexicon, beforeStep: 0, afterStep: 2, withPlacebo: false, strength: 1 },
      ...{ imageFolder: folder, annotationFile: annotations, mostImages: 8 },
    }
    const report = await evaluateRun(db, request, () => undefined)
    expect(report.images).toBe(7)
    expect(report.skipped).toEqual([{ path: join(folder, cut), code: 'image.damaged' }])
    expect(report.responses.map(({ path }) => basename(path))).not.toContain(cut)
    expect(report.figures.chairI.before.n).toBe(7)
  })

  test('opens a few of 2,000 files at a time, in a process that may have 128 open', () => {
    const folder = join(home, 'many')
    mkdirSync(folder)
    const [scene] = readdirSync(sampleScenes) as [string]
    const original = join(home, 'original.jpg')
    copyFileSync(join(sampleScenes, scene), original)
    const names = Array.from({ length: 2000 }, (_, i) => `${i}.jpg`)
    for (const name of names) linkSync(original, join(folder, name))
    const coco = {
      ...{ categories: [{ id: 1, name: 'dog' }], annotations: [] },
      images: names.map((file_name, id) => ({ id, file_name })),
    }
    const file = join(home, 'many.json')
    writeFileSync(file, JSON.stringify(coco))
    const command = 'ulimit -n 128; exec "$0" "$1" "$2" "$3"'
    const args = ['-c', command, process.execPath, inject('scripts').listAnnotated, folder, file]
    const printed = execFileSync('sh', args, { encoding: 'utf8' })
    expect(JSON.parse(printed)).toEqual({ images: 2000, skipped: 0 })
  })
})
