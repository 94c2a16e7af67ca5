// An evaluation that is asked for, checked and put at the end of the workspace's queue. Before it stand evaluations.ts and
// main/headless, after it db/evaluations.ts.
import { type PolicyChoice, policySchema } from '../../shared/describe.ts'
import { type EvaluationId, jsonSchema } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import type { Measure, MeasureKind, NewEvaluation } from '../../shared/evaluations.ts'
import { missingModel, missingRun, noCheckpoint, noWeights } from '../../shared/runErrors.ts'
import { checkpointAtStep } from '../db/checkpoints.ts'
import type { ReadableDb, WritableDb } from '../db/connection.ts'
import { newEvaluation } from '../db/evaluations.ts'
import { modelById } from '../db/models.ts'
import { runById } from '../db/runs.ts'
import { fullPath } from './pagePaths.ts'

/** What one is called that nobody has named. */
const kindNames: Readonly<Record<MeasureKind, string>> = {
  ...{ 'annotation-free': 'Estimates without annotations', chair: 'CHAIR', pope: 'POPE', mme: 'MME', amber: 'AMBER' },
}

/** @throws StudioError `run.same-policy`, `run.bad-path`, `run.missing`, `run.no-checkpoint`, `run.no-weights`, `model.missing` */
export function addEvaluation(db: WritableDb, request: NewEvaluation): EvaluationId {
  const names = request.policies.map((policy) => requirePolicy(db, policy))
  const keys = new Set(request.policies.map((policy) => JSON.stringify(policySchema.parse(policy))))
  if (keys.size < request.policies.length) throw samePolicy()
  const measure = withFullPaths(request.measure)
  const { kind } = measure
  const name = request.name === '' ? kindNames[kind] : request.name
  const stored = jsonSchema.parse({ ...request, name, measure })
  return newEvaluation(db, { name, kind, request: stored, names }, Date.now())
}

/** What its run or model is called. */
function requirePolicy(db: ReadableDb, policy: PolicyChoice): string {
  if (policy.from === 'model') {
    const model = modelById(db, policy.modelId)
    if (!model) throw missingModel(policy.modelId)
    return model.name
  }
  const { runId, step } = policy
  const run = runById(db, runId)
  if (!run) throw missingRun(runId)
  const checkpoint = checkpointAtStep(db, runId, step)
  if (!checkpoint) throw noCheckpoint(runId, step)
  if (step > 0 && !checkpoint.hasWeights) throw noWeights(step)
  return run.name
}

/** @throws StudioError `run.bad-path` */
function withFullPaths(measure: Measure): Measure {
  const full = (path: string) => fullPath('run', path)
  switch (measure.kind) {
    case 'annotation-free':
      return measure
    case 'chair':
      return { ...measure, imageFolder: full(measure.imageFolder), annotationFile: full(measure.annotationFile) }
    case 'pope': {
      const questions = { ...measure.questions, file: full(measure.questions.file) }
      return { ...measure, imageFolder: full(measure.imageFolder), questions }
    }
    case 'mme':
      return { ...measure, folder: full(measure.folder) }
    case 'amber': {
      const { dataFolder, queryFile, imageFolder } = measure
      return { ...measure, dataFolder: full(dataFolder), queryFile: full(queryFile), imageFolder: full(imageFolder) }
    }
  }
}

function samePolicy(): StudioError {
  return new StudioError({
    code: 'run.same-policy',
    message: 'The evaluation names one policy twice.',
    remedy: 'Choose different checkpoints, strengths or models.',
  })
}
