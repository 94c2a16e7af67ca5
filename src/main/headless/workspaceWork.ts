// Subcommands on a workspace that the app may have made: an evaluation of steps of a run, and the export of one. Before it
// stands the command line, after it engine/jobs. What an interrupted evaluation has stored, the app goes on with too.
import { isDeepStrictEqual } from 'node:util'
import type { EvaluationId } from '../../shared/domain.ts'
import { StudioError, toErrorRecord } from '../../shared/errors.ts'
import { figureInfo, type Measure, mostPolicies, type NewEvaluation } from '../../shared/evaluations.ts'
import { detailOfEvaluation, requireEvaluation } from '../app/evaluationViews.ts'
import { addEvaluation } from '../app/newEvaluation.ts'
import type { WritableDb } from '../db/connection.ts'
import { listEvaluations, setEvaluationState } from '../db/evaluations.ts'
import { evaluateWorkspace } from '../engine/jobs/evaluateWorkspace.ts'
import { WarmModels } from '../engine/jobs/warmModels.ts'
import { exportRun } from '../engine/jobs/workspaceJobs.ts'
import { type Given, usageError } from './commandLine.ts'
import { lexiconOf } from './makeJob.ts'
import type { Outcome } from './progress.ts'
import { requireFree, writeResult } from './results.ts'
import type { Work } from './work.ts'
import { chosenRun, chosenStep, workingOn } from './workspace.ts'

const mostRuns = 2 ** 31

/** @throws StudioError `app.usage`, `workspace.in-use`, and what the evaluation throws; answers that are stored stay */
export async function evaluateSteps(given: Given, work: Work): Promise<Outcome> {
  const out = given.path('out')
  if (out !== null) requireFree(out)
  const measure = measureOf(given)
  const lexicon = lexiconOf(given)
  return await workingOn(given.only('a workspace'), async (db) => {
    const run = chosenRun(db, given.integer('run', 1, mostRuns))
    const steps = [...new Set((given.text('step') ?? '0,best').split(',').map((step) => chosenStep(db, run, step)))]
    if (steps.length > mostPolicies) throw usageError(`--step takes at most ${mostPolicies} steps.`, 'evaluate')
    const strength = given.fraction('strength', 0, 1.5) ?? 1
    const request: NewEvaluation = {
      ...{ name: given.text('name') ?? '', measure, prompt: null, maxNewTokens: null },
      policies: steps.map((step) => ({ from: 'run', runId: run.runId, step, strength })),
    }
    const evaluationId = (work.resume ? unfinished(db, request) : undefined) ?? addEvaluation(db, request)
    await carryOut(db, evaluationId, { given, lexicon, work })
    const record = requireEvaluation(db, evaluationId)
    const detail = detailOfEvaluation(db, record, { live: null, waitsFor: null })
    const figures = detail.headline.map(({ name, byPolicy }) => {
      const values = byPolicy.map(({ value }, i) => `${value?.toFixed(3) ?? 'none'} at step ${steps[i]}`)
      return `${figureInfo[detail.kind][name]?.title ?? name}: ${values.join(', ')}`
    })
    return writeResult('evaluate', detail, out, [`${detail.name} on ${detail.images} images`, ...figures])
  })
}

async function carryOut(
  db: WritableDb,
  evaluationId: EvaluationId,
  { given, lexicon, work }: { given: Given; lexicon: string; work: Work },
): Promise<void> {
  const { reporter, stopping } = work
  const { threads } = given
  const warm = new WarmModels()
  const request = { evaluationId, device: given.device ?? 'cpu', lexicon, ownerToken: null } as const
  setEvaluationState(db, evaluationId, 'waiting', null, null)
  try {
    await evaluateWorkspace(
      db,
      { ...request, ...(threads !== null && { threads }) },
      warm,
      ({ phase, done, total }) => {
        // Each report of answers comes after they were stored.
        if (phase === 'answering') {
          stopping.waitForCommits()
          stopping.committed()
        }
        reporter.progress({ done, total, phase: phase === 'opening' ? 'reading' : phase, remainingMs: null })
      },
      stopping.signal,
    )
  } catch (thrown) {
    // One that was interrupted waits, and goes on here or in the app.
    const isInterrupted = thrown instanceof StudioError && thrown.code === 'run.cancelled'
    if (!isInterrupted)
      setEvaluationState(db, evaluationId, 'failed', toErrorRecord(thrown, 'run.unexpected'), Date.now())
    throw thrown
  } finally {
    await warm.release()
  }
}

/** The newest one of the same request that is not done. */
function unfinished(db: WritableDb, { measure, policies }: NewEvaluation): EvaluationId | undefined {
  return listEvaluations(db).find(({ state, request }) => {
    const stored = request as Partial<NewEvaluation>
    return (
      state !== 'done' && isDeepStrictEqual(stored.measure, measure) && isDeepStrictEqual(stored.policies, policies)
    )
  })?.evaluationId
}

const measures = ['estimates', 'chair', 'pope', 'mme', 'amber'] as const
const samplings = ['random', 'popular', 'adversarial'] as const

function measureOf(given: Given): Measure {
  const most = given.integer('most', 1, 10_000_000)
  const oneFolder = (): string => {
    const [folder, ...more] = given.paths('images')
    if (folder === undefined || more.length > 0) throw usageError('Name one folder with --images.', 'evaluate')
    return folder
  }
  switch (given.oneOf('measure', measures) ?? 'estimates') {
    case 'estimates':
      return { kind: 'annotation-free', images: { from: 'all' }, most }
    case 'chair':
      return { kind: 'chair', imageFolder: oneFolder(), annotationFile: given.neededPath('annotations'), most }
    case 'pope': {
      const file = given.path('questions')
      const sampling = given.oneOf('sampling', samplings) ?? 'random'
      const questions =
        file === null
          ? ({ from: 'annotations', file: given.neededPath('annotations'), sampling } as const)
          : ({ from: 'file', file } as const)
      return { kind: 'pope', imageFolder: oneFolder(), questions, most }
    }
    case 'mme':
      return { kind: 'mme', folder: given.neededPath('folder'), most }
    case 'amber': {
      const files = { dataFolder: given.neededPath('folder'), queryFile: given.neededPath('questions') }
      return { kind: 'amber', ...files, imageFolder: oneFolder(), most }
    }
  }
}

/** @throws StudioError `app.usage`, `workspace.in-use`, `run.missing`, `run.no-checkpoint`, `run.no-weights`, and what the export throws */
export async function exportStep(given: Given, { stopping }: Work): Promise<Outcome> {
  const folder = given.neededPath('out')
  return await workingOn(given.only('a workspace'), async (db) => {
    const run = chosenRun(db, given.integer('run', 1, mostRuns))
    const step = chosenStep(db, run, given.text('step') ?? 'best')
    const strength = given.fraction('strength', 0, 1.5) ?? 1
    const merged = given.has('merged')
    await exportRun(db, { runId: run.runId, step, strength, folder, merged }, stopping.signal)
    return { kind: 'export', said: `step ${step} exported to ${folder}`, out: folder, result: { folder, step } }
  })
}
