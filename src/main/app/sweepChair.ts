// CHAIR of a sweep's runs, from evaluations that are done: each run at its kept step beside the model as it came, all on the
// same annotated images. Before it stands db/evaluations.ts, after it sweepViews.ts.
import type { PolicyChoice } from '../../shared/describe.ts'
import type { RunId, RunRecord } from '../../shared/domain.ts'
import { evaluationFiguresSchema, type NewEvaluation, newEvaluationSchema } from '../../shared/evaluations.ts'
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

/**
 * The runs of which it was measured, by the newest evaluation of each. Those on other images or with another question than the
 * newest of all are left out: a mean over them would say nothing.
 */
export function chairOfRuns(db: ReadableDb, runs: readonly RunRecord[]): Map<RunId, RunFigures> {
  const found = new Map<RunId, RunFigures>()
  let kind: string | null = null
  for (const record of listEvaluations(db)) {
    if (found.size === runs.length) break
    const measured = record.kind === 'chair' && record.state === 'done' ? measuredIn(record) : null
    if (!measured) continue
    const { measure, prompt, maxNewTokens } = measured.request
    const own = JSON.stringify([measure, prompt, maxNewTokens])
    if (kind !== null && own !== kind) continue
    for (const run of runs) {
      const figures = found.has(run.runId) ? null : figuresOf(db, run, measured)
      if (figures) found.set(run.runId, figures)
      if (figures) kind = own
    }
  }
  return found
}

function measuredIn({ request, figures }: EvaluationRecord): Measured | null {
  const asked = newEvaluationSchema.safeParse(request).data
  const stored = evaluationFiguresSchema.safeParse(figures).data
  if (!asked || !stored) return null
  const figureOf = (name: string, i: number) =>
    stored.figures.find((one) => one.name === name && one.group === null)?.byPolicy[i]?.value ?? null
  const byPolicy = asked.policies.map((_, i): PolicyFigures | null => {
    const [hallucination, recall, words] = [figureOf('chairI', i), figureOf('recall', i), figureOf('meanLength', i)]
    return hallucination === null || recall === null || words === null ? null : { hallucination, recall, words }
  })
  return { request: asked, byPolicy }
}

function figuresOf(db: ReadableDb, run: RunRecord, { request, byPolicy }: Measured): RunFigures | null {
  const step = pinnedLookStep(db, run.runId) ?? 0
  const of = (is: (policy: PolicyChoice) => boolean): PolicyFigures | null =>
    byPolicy[request.policies.findIndex(is)] ?? null
  const isStepOf =
    (runId: RunId, wanted: number) =>
    (policy: PolicyChoice): boolean =>
      policy.from === 'run' &&
      policy.runId === runId &&
      policy.step === wanted &&
      (wanted === 0 || policy.strength === 1)
  const isModel = (policy: PolicyChoice): boolean => policy.from === 'model' && policy.modelId === run.modelId
  const before = of((policy) => isModel(policy) || isStepOf(run.runId, 0)(policy))
  // Where no step was better, the model as it came is what is kept.
  const after = step === 0 ? before : of(isStepOf(run.runId, step))
  if (!before || !after) return null
  const placeboId = counterpartOf(db, run.runId)?.runId
  return { before, after, placebo: placeboId === undefined ? null : of(isStepOf(placeboId, step)) }
}
