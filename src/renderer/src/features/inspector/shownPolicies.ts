// Whom a page asks about an image: two checkpoints of a run, or a model by itself, with the choice of others in their place.
// For the inspector and for Try it; Answers.tsx shows what they say.
import type { CheckpointView } from '../../../../shared/describe.ts'
import type { CheckpointId } from '../../../../shared/domain.ts'
import type { ModelView, RunView } from '../../../../shared/runView.ts'
import { useAppState } from '../../api.ts'
import type { ShownPolicies, ShownPolicy } from './Answers.tsx'
import { alignedCheckpoint, checkpointName } from './questions.ts'

/** Null is the checkpoint that stands at this side unless another was chosen: the model as it came, and the aligned one. */
export interface Sides {
  readonly left: CheckpointId | null
  readonly right: CheckpointId | null
}
export type Side = keyof Sides

/** Strengths that are not 1, by side and step, so that one checkpoint may stand at both sides with two of them. */
export type Strengths = Readonly<Record<string, number>>

export function strengthKey(side: Side, step: number): string {
  return `${side} ${step}`
}

export interface OfRunOptions {
  readonly run: RunView
  readonly checkpoints: readonly CheckpointView[]
  readonly sides: Sides
  readonly onSides: (sides: Sides) => void
  readonly strengths: Strengths
  readonly onStrengths: (strengths: Strengths) => void
  /** Why nothing can be asked in this workspace; null when it can. */
  readonly readOnly: string | null
}

/** The model as it came beside the aligned one, or any two checkpoints of a run; null before the run stored one. */
export function policiesOfRun(options: OfRunOptions): ShownPolicies | null {
  const { run, checkpoints, sides, onSides, strengths, onStrengths, readOnly } = options
  const byId = (id: number | null): CheckpointView | undefined =>
    checkpoints.find(({ checkpointId }) => checkpointId === id)
  const left = byId(sides.left) ?? checkpoints.find(({ step }) => step === 0) ?? checkpoints[0]
  const right = byId(sides.right) ?? alignedCheckpoint(checkpoints)
  if (!left) return null

  const shown = (checkpoint: CheckpointView, side: Side): ShownPolicy => {
    const { step, hasWeights } = checkpoint
    const key = strengthKey(side, step)
    const strength = step > 0 && hasWeights ? (strengths[key] ?? 1) : null
    return {
      policy: { from: 'run', runId: run.runId, step, strength: strength ?? 1 },
      name: `${run.name}, ${checkpointName(checkpoint)}`,
      choices: checkpoints.map((one) => ({
        value: String(one.checkpointId),
        label: checkpointName(one) + (one.hasWeights ? '' : ', weights dropped'),
        disabled: !one.hasWeights && one.describedImages === 0,
      })),
      chosen: String(checkpoint.checkpointId),
      onChoose: (value) => {
        const chosen = byId(Number(value))?.checkpointId ?? null
        onSides({ left: left.checkpointId, right: right?.checkpointId ?? null, [side]: chosen })
      },
      strength,
      onStrength: (value) => onStrengths({ ...strengths, [key]: value }),
      notAskable:
        readOnly ??
        (hasWeights ? null : 'Its weights were dropped to save space: only what it said before can be shown.'),
    }
  }
  return right ? [shown(left, 'left'), shown(right, 'right')] : [shown(left, 'left')]
}

/** A model by itself: its words have scores and no verdict. */
export function policyOfModel(model: ModelView, readOnly: string | null): ShownPolicy {
  const value = String(model.modelId)
  return {
    policy: { from: 'model', modelId: model.modelId },
    name: `${model.name}, by itself`,
    choices: [{ value, label: model.name, disabled: false }],
    chosen: value,
    onChoose: () => undefined,
    strength: null,
    onStrength: () => undefined,
    notAskable: readOnly,
  }
}

/** Why nothing can be asked here; null when it can. */
export function useReadOnly(): string | null {
  return useAppState().workspace?.readOnlyBecause ?? null
}
