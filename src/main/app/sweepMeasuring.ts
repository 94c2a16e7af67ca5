// CHAIR of a sweep's runs: which evaluations are missing for the table of sweepViews.ts to tell it, one a run. Before it stands
// sweeps.ts, after it the queue of evaluations.ts.
import { normalize } from 'node:path'
import type { PolicyChoice } from '../../shared/describe.ts'
import type { EvaluationId, RunId } from '../../shared/domain.ts'
import type { ChairMeasure, NewEvaluation } from '../../shared/evaluations.ts'
import { runConfigSchema } from '../../shared/runConfig.ts'
import { type ChairGap, type ChairPlan, chairGaps } from '../../shared/sweepView.ts'
import { checkpointAtStep } from '../db/checkpoints.ts'
import type { ReadableDb } from '../db/connection.ts'
import { countItems, type EvaluationRecord } from '../db/evaluations.ts'
import { type ChairSubject, chairRequests, isAsItCame, isKept, kindOf, subjectOf } from './sweepChair.ts'
import { membersOf, ownRunsOf, requireSweep } from './sweepViews.ts'

export interface ChairWork {
  readonly plan: ChairPlan
  readonly requests: readonly NewEvaluation[]
  /** That were cancelled, and go on with what is missing. */
  readonly again: readonly EvaluationId[]
}

type Known = ReturnType<typeof chairRequests>[number]

/**
 * @param measure null while no images are chosen: then nothing counts as measured
 * @throws StudioError `run.no-sweep`
 */
export function planChair(db: ReadableDb, sweepId: string, measure: ChairMeasure | null): ChairWork {
  requireSweep(db, sweepId)
  const asked = measure && normalised(measure)
  const known = asked ? knownOf(db, asked) : []
  const gaps: ChairGap[] = []
  const answering: number[] = []
  const models = new Set<string>()
  const requests: NewEvaluation[] = []
  const again: EvaluationId[] = []
  let [measured, waiting, placebosLeftOut] = [0, 0, 0]
  for (const run of ownRunsOf(membersOf(db, sweepId))) {
    const subject = subjectOf(db, run)
    const gap = gapOf(db, subject)
    if (gap !== null) {
      gaps.push(gap)
      continue
    }
    const { policies, lacksPlacebo } = policiesOf(db, subject)
    if (lacksPlacebo) placebosLeftOut++
    const before = bestOf(known, subject, policies)
    if (before?.state === 'done') measured++
    else if (before?.state === 'waiting') waiting++
    else {
      const model = modelOf(subject)
      answering.push(policies.length - Number(models.has(model)))
      models.add(model)
      if (before) again.push(before.evaluationId)
      else if (asked)
        requests.push({ name: run.name, policies: [...policies], measure: asked, prompt: null, maxNewTokens: null })
    }
  }
  const leftOut = chairGaps.map((gap) => ({ gap, runs: gaps.filter((one) => one === gap).length }))
  const plan: ChairPlan = {
    evaluations: answering.length,
    answersAnImage: answering.reduce((sum, count) => sum + count, 0),
    images: asked && imagesOf(db, asked),
    ...{ measured, waiting, placebosLeftOut, leftOut: leftOut.filter(({ runs }) => runs > 0) },
  }
  return { plan, requests, again }
}

/** Runs of which this is the same have the same model as it came, which answers once (engine/jobs/knownAnswers.ts). */
function modelOf({ run }: ChairSubject): string {
  const config = runConfigSchema.safeParse(run.config).data
  if (!config) return `run ${run.runId}`
  const { base, rollout, reward } = config
  const { question, maxNewTokens, batchSize } = rollout
  return JSON.stringify([
    run.modelId,
    base,
    question,
    maxNewTokens,
    batchSize,
    reward.promptTemplate,
    reward.otherNouns,
  ])
}

/** As evaluations keep it (newEvaluation.ts). */
function normalised(measure: ChairMeasure): ChairMeasure {
  const { imageFolder, annotationFile } = measure
  return { ...measure, imageFolder: normalize(imageFolder), annotationFile: normalize(annotationFile) }
}

/** Null where the run can be measured. */
function gapOf(db: ReadableDb, { run, step }: ChairSubject): ChairGap | null {
  if (run.state !== 'complete') return 'not-at-end'
  if (step === null) return 'no-kept-step'
  return hasWeights(db, run.runId, step) ? null : 'no-weights'
}

/** The model as it came needs none. */
function hasWeights(db: ReadableDb, runId: RunId, step: number): boolean {
  const checkpoint = checkpointAtStep(db, runId, step)
  return checkpoint !== undefined && (step === 0 || checkpoint.hasWeights)
}

/** The model as it came, the kept step, and the placebo at it. Where no step was better all three are the first. */
function policiesOf(
  db: ReadableDb,
  { run, step, strength, placeboId }: ChairSubject,
): { policies: readonly PolicyChoice[]; lacksPlacebo: boolean } {
  const { runId } = run
  const before: PolicyChoice = { from: 'run', runId, step: 0, strength: 1 }
  if (!step) return { policies: [before], lacksPlacebo: false }
  const hasPlacebo = placeboId !== null && hasWeights(db, placeboId, step)
  const kept = [runId, ...(hasPlacebo ? [placeboId] : [])].map(
    (id): PolicyChoice => ({ from: 'run', runId: id, step, strength }),
  )
  return { policies: [before, ...kept], lacksPlacebo: placeboId !== null && !hasPlacebo }
}

/** Evaluations on these images that ask as one of this sweep's would, the newest first. */
function knownOf(db: ReadableDb, measure: ChairMeasure): Known[] {
  const kind = kindOf({ measure, prompt: null, maxNewTokens: null })
  return chairRequests(db).filter(({ request }) => kindOf(request) === kind)
}

/** The one of all these policies that is furthest; one that failed is tried anew. */
function bestOf(
  known: readonly Known[],
  subject: ChairSubject,
  policies: readonly PolicyChoice[],
): EvaluationRecord | undefined {
  const ofRun = (one: PolicyChoice) => (other: PolicyChoice) =>
    one.from === 'run' && (one.step === 0 ? isAsItCame(subject, other) : isKept(subject, one.runId, other))
  const own = known
    .filter(({ request }) => policies.every((one) => request.policies.some(ofRun(one))))
    .map(({ record }) => record)
  const inState = (state: EvaluationRecord['state']) => own.find((one) => one.state === state)
  return inState('done') ?? inState('waiting') ?? inState('cancelled')
}

/** Images that take part, as far as an evaluation of the same files found them. */
function imagesOf(db: ReadableDb, { imageFolder, annotationFile, most }: ChairMeasure): number | null {
  for (const { record, request } of chairRequests(db)) {
    const { measure } = request
    if (measure.kind !== 'chair' || record.facts === null) continue
    if (measure.imageFolder !== imageFolder || measure.annotationFile !== annotationFile) continue
    const found = countItems(db, record.evaluationId).images
    const isAll = measure.most === null || found < measure.most
    if (isAll || (most !== null && most <= found)) return Math.min(found, most ?? found)
  }
  return null
}
