// A job is all that a run follows from: the command repeats a run of the app from its export byte for byte, on plain Node,
// also when it is killed on the way; what is missing or no longer the same is refused by name. All parts are real.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { greedy } from '../../../shared/describe.ts'
import type { RunId } from '../../../shared/domain.ts'
import { type AlignJob, alignJobSchema, type EvaluateJob } from '../../../shared/job.ts'
import { presetConfig } from '../../../shared/runConfig.ts'
import type { WritableDb } from '../../db/connection.ts'
import { everyImage } from '../../db/images.ts'
import { createWorkspace, openWorkspace } from '../../db/open.ts'
import { responseById } from '../../db/rollouts.ts'
import { listRuns } from '../../db/runs.ts'
import { answerQuestion } from './describeWorkspace.ts'
import { jobAdapterOf, jobFileOf } from './jobInputs.ts'
import { MemoryJobStore } from './memoryStore.ts'
import { runJob } from './runJob.ts'
import { storedJobOf } from './storedJob.ts'
import { addDemoRun, addSampleScenes, contentOf, demoLexicon, sampleScenes, shortConfig } from './testing/demoRun.ts'
import { WarmModels } from './warmModels.ts'
import { alignRun, evaluateRun, exportRun } from './workspaceJobs.ts'

const project = join(import.meta.dirname, '../../../..')
const tsxLoader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const home = mkdtempSync(join(tmpdir(), 'fisao-job-'))
const images = 18
const config = presetConfig('quick-look', {
  ...shortConfig,
  calibration: { responses: 48, goOnRefused: true },
  optimiser: { ...shortConfig.optimiser, stepsPerRound: 2 },
  evaluation: { everySteps: 1, images: 4 },
})
const exported = join(home, 'export')
const bundle = join(exported, 'run.json')
const annotationFile = join(sampleScenes, '../annotations.json')
let db: WritableDb
let runId: RunId
let lastStep = 0

function newWorkspace(name: string): WritableDb {
  createWorkspace(join(home, name))
  return openWorkspace(join(home, name))
}

async function alignHere(of: WritableDb, run: RunId, lexicon = demoLexicon, stopAt = Number.POSITIVE_INFINITY) {
  const abort = new AbortController()
  const request = { runId: run, device: 'cpu', threads: 1, lexicon } as const
  return await alignRun(of, request, ({ step }) => step >= stopAt && abort.abort(), abort.signal)
}

beforeAll(async () => {
  db = newWorkspace('app.fisao')
  // A gap in the numbers of the images, as a failed insert leaves one.
  addSampleScenes(db, 3)
  db.exec('DELETE FROM image WHERE image_id = 2')
  addSampleScenes(db, images - 2, 3)
  runId = addDemoRun(db, images, { config })
  lastStep = (await alignHere(db, runId)).steps
  await exportRun(db, { runId, step: lastStep, strength: 1, folder: exported, merged: false })
}, 120_000)
afterAll(() => {
  db.close()
  rmSync(home, { recursive: true, force: true })
})

/** What npm starts, built but for one of the tests; on the Node that is found. Killed when it says `killAt`. */
async function command(
  args: readonly string[],
  killAt?: string,
  script: readonly string[] = [inject('scripts').job],
): Promise<{ code: number | null; said: string }> {
  const { ELECTRON_RUN_AS_NODE: _, FISAO_SQLITE_BINDING: _binding, ...env } = process.env
  const child = spawn('node', [...script, ...args], { cwd: home, env })
  const lines: string[] = []
  createInterface(child.stdout).on('line', (line) => {
    lines.push(line)
    if (killAt !== undefined && line.includes(killAt)) child.kill('SIGKILL')
  })
  createInterface(child.stderr).on('line', (line) => lines.push(line))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, said: lines.join('\n') }
}

function jobOfBundle(): AlignJob {
  return alignJobSchema.parse(JSON.parse(readFileSync(bundle, 'utf8')).job)
}

/** The exported job with changes, as a file of its own. */
function changedJob(name: string, change: (job: AlignJob) => unknown): string {
  const path = join(home, `${name}.json`)
  writeFileSync(path, JSON.stringify(change(jobOfBundle())))
  return path
}

describe('npm run job', { timeout: 180_000 }, () => {
  test('repeats a run of the app from its export byte for byte, killed on the way or not', async () => {
    const workspace = join(home, 'again.fisao')
    const killed = await command([bundle, '--out', workspace, '--progress', 'json'], '"done":1,"total":2')
    expect(killed.code).toBe(null)
    const taken = await command([bundle, '--out', workspace])
    expect([taken.code, taken.said]).toEqual([5, expect.stringContaining('--resume')])
    const ended = await command([bundle, '--out', workspace, '--resume'])
    expect(ended).toMatchObject({ code: 0, said: expect.stringContaining(`aligned in ${lastStep} steps`) })
    const again = openWorkspace(workspace)
    const [run] = listRuns(again)
    expect(run).toMatchObject({ state: 'complete', name: 'short', seed: 3 })
    expect(JSON.stringify(contentOf(again, run?.runId as RunId))).toBe(JSON.stringify(contentOf(db, runId)))
    expect(everyImage(again)).toEqual(everyImage(db))
    again.close()
  })

  test('names each field of a job that it cannot use', async () => {
    const job = changedJob('bad', ({ device: _, ...rest }) => ({ ...rest, seed: -1, threads: 'all' }))
    const { code, said } = await command([job], undefined, ['--import', tsxLoader, join(project, 'scripts/job.ts')])
    expect(code).toBe(3)
    for (const field of ['device: ', 'seed: ', 'threads: ']) expect(said).toContain(field)
    expect(existsSync(join(home, 'bad.fisao'))).toBe(false)
  })

  test.each([
    ['an image that is not there', (job: AlignJob) => withFirst(job, { path: join(home, 'gone.jpg') }), 'gone.jpg'],
    [
      'an image that changed',
      (job: AlignJob) => withFirst(job, { sha256: '0'.repeat(64) }),
      'no longer what they were',
    ],
    [
      'another lexicon',
      (job: AlignJob) => ({ ...job, lexicon: { ...job.lexicon, sha256: '0'.repeat(64) } }),
      'lexicon of object words is no longer',
    ],
    [
      'another model',
      (job: AlignJob) => ({
        ...job,
        models: { ...job.models, model: { ...job.models.model, weightsSha256: '0'.repeat(64) } },
      }),
      'weights of a model',
    ],
  ])('refuses %s', async (name, change, words) => {
    const { code, said } = await command([changedJob(name, change)])
    expect([code, said]).toEqual([4, expect.stringContaining(words)])
  })

  test('asks an exported adapter what the app asks its step, goes on where a kill cut the file, and refuses a strange one', async () => {
    const { name: _, preset: _preset, annotations: _annotations, images: all, ...shared } = jobOfBundle()
    const policy = await jobAdapterOf(join(exported, 'adapter'))
    const job = {
      ...{ ...shared, kind: 'describe', policy, strength: 1, question: shared.config.rollout.question },
      ...{ decoding: { kind: 'greedy' }, region: null, judgedBy: null, images: all.slice(0, 5) },
    }
    job.config.rollout.batchSize = 2
    const path = join(home, 'ask.json')
    const out = join(home, 'ask.result.json')
    writeFileSync(path, JSON.stringify(job))
    expect(await command([path])).toMatchObject({ code: 0, said: expect.stringContaining('5 of 5 images described') })
    const whole = readFileSync(out, 'utf8')
    const lines = whole.trimEnd().split('\n')
    const said = lines.map((line) => JSON.parse(line))
    expect(said.map(({ imageId }) => imageId)).toEqual(job.images.map(({ imageId }) => imageId))
    const warm = new WarmModels()
    const request = { device: 'cpu', threads: 1, lexicon: demoLexicon, ownerToken: null } as const
    const asked = { policy: { from: 'run', runId, step: lastStep, strength: 1 }, decoding: greedy } as const
    for (const { imageId, text, tokens, isJudged } of said) {
      const question = { ...asked, imageId, prompt: null, region: null }
      const { rolloutId } = await answerQuestion(db, { ...request, question }, warm, () => undefined)
      const here = responseById(db, rolloutId)
      expect([text, isJudged]).toEqual([here?.text, false])
      expect(tokens.map(({ tokenId }: { tokenId: number }) => tokenId)).toEqual(
        here?.tokens.map(({ tokenId }) => tokenId),
      )
    }
    await warm.release()
    const taken = await command([path])
    expect([taken.code, taken.said]).toEqual([5, expect.stringContaining('already is a file')])
    writeFileSync(out, `${lines.slice(0, 3).join('\n')}\n${lines[3]?.slice(0, 40)}`)
    const resumed = await command([path, '--resume'])
    expect(resumed).toMatchObject({ code: 0, said: expect.stringContaining('] 3 of 5, describing') })
    expect(readFileSync(out, 'utf8').trimEnd().split('\n').slice(0, 3)).toEqual(lines.slice(0, 3))
    expect(readFileSync(out, 'utf8').trimEnd().split('\n')).toHaveLength(5)
    writeFileSync(out, 'a diary\n')
    const strange = await command([path, '--resume'])
    expect([strange.code, strange.said]).toEqual([5, expect.stringContaining('something else than its responses')])
    expect(readFileSync(out, 'utf8')).toBe('a diary\n')
  })

  test('judges an exported adapter as the app judges the step that it was exported from', async () => {
    const scenes = { imageFolder: sampleScenes, annotationFile, mostImages: 12 }
    const request = { runId, device: 'cpu', threads: 1, lexicon: demoLexicon, strength: 1, ...scenes } as const
    const inApp = await evaluateRun(
      db,
      { ...request, beforeStep: 0, afterStep: lastStep, withPlacebo: false },
      () => undefined,
    )
    const { config: settings, seed, models, lexicon, device, threads, format, version } = jobOfBundle()
    const job: EvaluateJob = {
      ...{ kind: 'evaluate', format, version, config: settings, seed, models, lexicon, device, threads, strength: 1 },
      policies: { before: { from: 'model' }, after: await jobAdapterOf(join(exported, 'adapter')), placebo: null },
      images: { folder: sampleScenes, annotations: await jobFileOf(annotationFile), most: 12 },
    }
    const path = join(home, 'judge.json')
    writeFileSync(path, JSON.stringify(job))
    expect(await command([path])).toMatchObject({ code: 0 })
    const judged = JSON.parse(readFileSync(join(home, 'judge.result.json'), 'utf8'))
    expect({ ...judged, durationMs: 0 }).toEqual({ ...inApp, durationMs: 0 })
    expect(await command([path])).toMatchObject({ code: 5, said: expect.stringContaining('--out') })
    const ofRun = { ...job, policies: { ...job.policies, after: { from: 'run', step: 1 } } }
    writeFileSync(path, JSON.stringify(ofRun))
    expect(await command([path, '--out', join(home, 'other')])).toMatchObject({ code: 3 })
  })
})

function withFirst(job: AlignJob, change: Partial<AlignJob['images'][number]>): AlignJob {
  const [first, ...rest] = job.images as [AlignJob['images'][number], ...AlignJob['images']]
  return { ...job, images: [{ ...first, ...change }, ...rest] }
}

describe('a run that goes on', { timeout: 120_000 }, () => {
  test('in a workspace that stored no job ends as ever, and has one from then on', async () => {
    const older = newWorkspace('older.fisao')
    const run = addDemoRun(older, images, { config })
    await expect(alignHere(older, run, demoLexicon, 1)).rejects.toMatchObject({ code: 'run.cancelled' })
    older.exec('DELETE FROM run_job')
    expect(storedJobOf(older, run)).toBeNull()
    await exportRun(older, { runId: run, step: 0, strength: 1, folder: join(home, 'older'), merged: false })
    // Images that came later are none of its own.
    addSampleScenes(older, 2, images)
    await alignHere(older, run)
    expect(storedJobOf(older, run)).toMatchObject({ device: 'cpu', threads: 1, images: { length: images } })
    older.close()
  })

  test('refuses a lexicon that is not the one that it began with', async () => {
    const lexicon = join(home, 'lexicon.json')
    copyFileSync(demoLexicon, lexicon)
    const changed = newWorkspace('lexicon.fisao')
    const run = addDemoRun(changed, images, { config })
    await expect(alignHere(changed, run, lexicon, 1)).rejects.toMatchObject({ code: 'run.cancelled' })
    writeFileSync(lexicon, `${readFileSync(demoLexicon, 'utf8')}\n`)
    await expect(alignHere(changed, run, lexicon)).rejects.toMatchObject({
      code: 'run.lexicon-changed',
      where: lexicon,
    })
    changed.close()
  })
})

test('a store in memory keeps the same steps as a workspace', { timeout: 60_000 }, async () => {
  const store = new MemoryJobStore()
  const { steps } = await runJob<'align'>(jobOfBundle(), store, () => undefined)
  expect(steps).toBe(lastStep)
  const looks = db.prepare('SELECT figures FROM look WHERE run_id = ? ORDER BY step').pluck().all(runId)
  expect(store.committed.at(-1)?.looks).toEqual(looks.map((figures) => JSON.parse(figures as string)))
  expect(store.steps).toEqual([0, 1, 2])
})

/** Every module that a file imports, also late and by type, with those that they import in turn. */
function importsOf(entry: string): Set<string> {
  const found = new Set<string>()
  const files = [entry]
  for (let file = files.pop(); file !== undefined; file = files.pop()) {
    if (found.has(file)) continue
    found.add(file)
    const source = readFileSync(file, 'utf8')
    for (const [, name] of source.matchAll(/(?:\bfrom|\bimport)[\s(]*'([^']+)'/g)) {
      if (name?.startsWith('.')) files.push(resolve(dirname(file), name))
      else if (name) found.add(name)
    }
  }
  return found
}

test.each(['scripts/job.ts', 'src/main/headless/main.ts'])('nothing on the way from %s knows Electron', (entry) => {
  const imported = importsOf(join(project, entry))
  expect(imported).toContain(join(import.meta.dirname, 'runJob.ts'))
  expect(imported).toContain(join(project, 'src/main/app/report/runReport.ts'))
  expect(imported).toContain('onnxruntime-node')
  expect([...imported].filter((name) => /(^|[/-])electron($|[/-])/.test(name) || name.startsWith('@electron'))).toEqual(
    [],
  )
})
