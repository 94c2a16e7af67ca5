// Which policies are compared unless others are chosen, and whether two are one. Pure.
import type { CheckpointView, PolicyChoice } from '../../../../shared/describe.ts'
import type { ModelView, RunView } from '../../../../shared/runView.ts'
import { alignedCheckpoint } from '../inspector/questions.ts'

/**
 * The model as it came and aligned, where there is a run; else the first model alone; empty without either.
 * @param checkpoints of the run
 * @param strength that its own looks have
 */
export function usualPolicies(
  run: RunView | undefined,
  checkpoints: readonly CheckpointView[],
  strength: number,
  models: readonly ModelView[],
): PolicyChoice[] {
  const [model] = models
  if (!run) return model ? [{ from: 'model', modelId: model.modelId }] : []
  const { runId } = run
  const came: PolicyChoice = { from: 'run', runId, step: 0, strength: 1 }
  const aligned = alignedCheckpoint(checkpoints)
  return aligned?.hasWeights ? [came, { ...came, step: aligned.step, strength }] : [came]
}

/** One that is not among these, to begin from when another is added. */
export function anotherPolicy(
  chosen: readonly PolicyChoice[],
  checkpoints: readonly CheckpointView[],
  models: readonly ModelView[],
): PolicyChoice | undefined {
  const last = chosen.findLast((policy) => policy.from === 'run')
  const steps = checkpoints.filter(({ step, hasWeights }) => step === 0 || hasWeights).toReversed()
  const candidates: PolicyChoice[] = [
    ...(last ? steps.map(({ step }): PolicyChoice => ({ ...last, step, strength: 1 })) : []),
    ...models.map(({ modelId }): PolicyChoice => ({ from: 'model', modelId })),
  ]
  return candidates.find((one) => !chosen.some((other) => isSame(one, other)))
}

export function hasDoubles(policies: readonly PolicyChoice[]): boolean {
  return policies.some((policy, i) => policies.slice(0, i).some((other) => isSame(policy, other)))
}

function isSame(a: PolicyChoice, b: PolicyChoice): boolean {
  if (a.from === 'model' || b.from === 'model') {
    return a.from === 'model' && b.from === 'model' && a.modelId === b.modelId
  }
  // Nothing was added to the model as it came, however strongly.
  return a.runId === b.runId && a.step === b.step && (a.step === 0 || a.strength === b.strength)
}
