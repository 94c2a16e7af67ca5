// CHAIR of a sweep's runs, from evaluations that are done: each run at its kept step beside the model as it came, all on the
// same annotated images. Before it stand db/evaluations.ts and sweepMeasuring.ts, which asks for them, after it sweepViews.ts.
import type { PolicyChoice } from '../../shared/describe.ts'
import type { EvaluationId, RunId, RunRecord } from '../../shared/domain.ts'
import { evaluationFiguresSchema, type NewEvaluation, newEvaluationSchema } from '../../shared/evaluations.ts'
import { runConfigSchema } from '../../shared/runConfig.ts'
import type { ReadableDb } from '../db/connection.ts'
import { type EvaluationRecord, listEvaluations } from '../db/evaluations.ts'
import { pinnedLookStep } from '../db/looks.ts'
import { counterpartOf } from '../db/runs.ts'

/** The figures of one policy; see sweepRowSchema. */
export interface PolicyFigures {
  readonly hallucination: number
  readonly recall: number
  readonly words: number
}

/** What one run came to. */
export interface RunFigures {
  readonly before: PolicyFigures
  readonly after: PolicyFigures
  /** Of its placebo at the same step; null where there is none. */
  readonly placebo: PolicyFigures | null
}

interface Measured {
  readonly request: NewEvaluation
  readonly byPolicy: readonly (PolicyFigures | null)[]
}

/** What is measured of a run. */
export interface ChairSubject {
  readonly run: RunRecord
  /** That is kept; null before the first look. 0: no step was better than the model as it came. */
  readonly step: number | null
  /** As its own looks have it. */
  readonly strength: number
  readonly placeboId: RunId | null
}

export function subjectOf(db: ReadableDb, run: RunRecord): ChairSubject {
  const strength = runConfigSchema.safeParse(run.config).data?.evaluation.strength ?? 1
  const placeboId = counterpartOf(db, run.runId)?.runId ?? null
  return { run, step: pinnedLookStep(db, run.runId), strength, placeboId }
}

/** Whether figures of a policy are those of the model of a run as it came. */
export const isAsItCame = ({ run }: ChairSubject, policy: PolicyChoice): boolean =>
  policy.from === 'model' ? policy.modelId === run.modelId : policy.runId === run.runId && policy.step === 0

/** Whether figures of a policy are those of a run, or of its placebo, at the kept step; above 0. */
export const isKept = ({ step, strength }: ChairSubject, runId: RunId | null, policy: PolicyChoice): boolean =>
  policy.from === 'run' && policy.runId === runId && policy.step === step && policy.strength === strength

/** On what images and how it was asked: figures are taken together where this is the same. */
export const kindOf = ({ measure, prompt, maxNewTokens }: Pick<NewEvaluation, 'measure' | 'prompt' | 'maxNewTokens'>) =>
  JSON.stringify([measure, prompt, maxNewTokens])

/** Evaluations of CHAIR, the newest first. */
export function chairRequests(db: ReadableDb): { record: EvaluationRecord; request: NewEvaluation }[] {
  return listEvaluations(db).flatMap((record) => {
    const request = record.kind === 'chair' ? newEvaluationSchema.safeParse(record.request).data : undefined
    return request ? [{ record, request }] : []
  })
}

/**
 * The runs of which it was measured, by the newest evaluation of each. Those on other images or with another question than the
 * newest of all are left out: a mean over them would say nothing.
 */
export function chairOfRuns(db: ReadableDb, subjects: readonly ChairSubject[]): Map<RunId, RunFigures> {
  const found = new Map<RunId, RunFigures>()
  let kind: string | null = null
  for (const { record, request } of chairRequests(db)) {
    if (found.size === subjects.length) break
    const own = kindOf(request)
    const measured = record.state === 'done' && (kind === null || own === kind) ? measuredIn(record, request) : null
    if (!measured) continue
    for (const subject of subjects) {
      const { runId } = subject.run
      const figures = found.has(runId) ? null : figuresOf(subject, measured)
      if (!figures) continue
      found.set(runId, figures)
      kind = own
    }
  }
  return found
}

/** The newest evaluation of each run that CHAIR was asked of, of the kind that was asked for last. */
export function chairAskedOf(db: ReadableDb, subjects: readonly ChairSubject[]): EvaluationId[] {
  const found = new Map<RunId, EvaluationId>()
  let kind: string | null = null
  for (const { record, request } of chairRequests(db)) {
    const own = kindOf(request)
    if (kind !== null && own !== kind) continue
    for (const subject of subjects) {
      const { runId } = subject.run
      if (found.has(runId) || !request.policies.some((policy) => policy.from === 'run' && policy.runId === runId))
        continue
      found.set(runId, record.evaluationId)
      kind = own
    }
  }
  return [...new Set(found.values())]
}

function measuredIn({ figures }: EvaluationRecord, request: NewEvaluation): Measured | null {
  const stored = evaluationFiguresSchema.safeParse(figures).data
  if (!stored) return null
  const figureOf = (name: string, i: number) =>
    stored.figures.find((one) => one.name === name && one.group === null)?.byPolicy[i]?.value ?? null
  const byPolicy = request.policies.map((_, i): PolicyFigures | null => {
    const [hallucination, recall, words] = [figureOf('chairI', i), figureOf('recall', i), figureOf('meanLength', i)]
    return hallucination === null || recall === null || words === null ? null : { hallucination, recall, words }
  })
  return { request, byPolicy }
}

function figuresOf(subject: ChairSubject, { request, byPolicy }: Measured): RunFigures | null {
  const of = (is: (policy: PolicyChoice) => boolean): PolicyFigures | null =>
    byPolicy[request.policies.findIndex(is)] ?? null
  const { run, step, placeboId } = subject
  const before = of((policy) => isAsItCame(subject, policy))
  // Where no step was better, the model as it came is what is kept, of its placebo too.
  const keptOf = (runId: RunId) => (step ? of((policy) => isKept(subject, runId, policy)) : before)
  const after = keptOf(run.runId)
  if (!before || !after) return null
  return { before, after, placebo: placeboId === null ? null : keptOf(placeboId) }
}
