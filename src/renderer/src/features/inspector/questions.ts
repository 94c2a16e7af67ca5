// Which question a column of the inspector stands for, and which of the stored and running answers belongs to it. Pure.
import {
  type CheckpointView,
  type Decoding,
  greedy,
  type PolicyChoice,
  type Question,
  type QuestionView,
  type Region,
  type ResponseView,
} from '../../../../shared/describe.ts'
import { presetConfig } from '../../../../shared/runConfig.ts'
import type { RunView } from '../../../../shared/runView.ts'

/** What a model is asked that has no run. */
export const usualQuestion = presetConfig('quick-look').rollout.question

/** What is asked of all columns instead of the usual question about the whole picture. */
export interface WhatIf {
  /** Null for the usual question. */
  readonly prompt: string | null
  readonly decoding: Decoding
  readonly region: Region | null
}

export const asUsual: WhatIf = { prompt: null, decoding: greedy, region: null }

export function questionOf(imageId: number, policy: PolicyChoice, { prompt, decoding, region }: WhatIf): Question {
  return { imageId, policy, prompt, decoding, region }
}

/** Whether a stored response answers a question. @param usual the prompt that a null prompt stands for */
export function answers(response: ResponseView, question: Question, usual: string): boolean {
  return (
    response.imageId === question.imageId &&
    isSamePolicy(response.policy, question.policy) &&
    response.prompt === (question.prompt ?? usual) &&
    isSameDecoding(decodingOf(response), question.decoding) &&
    isSameRegion(response.region, question.region)
  )
}

/** The newest of the responses that answer a question. */
export function answerTo(
  responses: readonly ResponseView[],
  question: Question,
  usual: string,
): ResponseView | undefined {
  return responses
    .filter((response) => answers(response, question, usual))
    .reduce<ResponseView | undefined>(
      (best, one) => (best && best.createdAtMs > one.createdAtMs ? best : one),
      undefined,
    )
}

/** The last time that this was asked. */
export function askedLast(views: readonly QuestionView[], question: Question): QuestionView | undefined {
  return views.findLast((view) => isSameQuestion(view.question, question))
}

function isSameQuestion(a: Question, b: Question): boolean {
  return (
    a.imageId === b.imageId &&
    isSamePolicy(a.policy, b.policy) &&
    a.prompt === b.prompt &&
    isSameDecoding(a.decoding, b.decoding) &&
    isSameRegion(a.region, b.region)
  )
}

/** How a response was decoded; null where that is not known. Runs store theirs as they are: greedy. */
export function decodingOf({ purpose, decoding }: ResponseView): Decoding | null {
  return purpose === 'evaluation' ? greedy : decoding
}

export function isSameDecoding(a: Decoding | null, b: Decoding): boolean {
  if (a?.kind !== 'sampled' || b.kind !== 'sampled') return a?.kind === b.kind
  return a.temperature === b.temperature && a.topP === b.topP && a.seed === b.seed
}

export function isSamePolicy(a: PolicyChoice, b: PolicyChoice): boolean {
  if (a.from === 'model' || b.from === 'model')
    return a.from === 'model' && b.from === 'model' && a.modelId === b.modelId
  // Nothing was added to the model as it came, however strongly.
  return a.runId === b.runId && a.step === b.step && (a.step === 0 || a.strength === b.strength)
}

function isSameRegion(a: Region | null, b: Region | null): boolean {
  if (a === null || b === null) return a === b
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height
}

/** The run that is shown unless another was chosen: the newest complete one, else the newest with a checkpoint. */
export function usualRun(runs: readonly RunView[]): RunView | undefined {
  const started = runs.filter(({ checkpointStep }) => checkpointStep !== null)
  return started.find(({ state, isPlacebo }) => state === 'complete' && !isPlacebo) ?? started[0]
}

/** The checkpoint that stands for the aligned model: the one that a person chose, else the best one, else the newest with weights, else the newest. */
export function alignedCheckpoint(checkpoints: readonly CheckpointView[]): CheckpointView | undefined {
  const trained = checkpoints.filter(({ step }) => step > 0)
  const chosen = trained.find(({ isUsed }) => isUsed) ?? trained.find(({ isBest }) => isBest)
  return chosen ?? trained.findLast(({ hasWeights }) => hasWeights) ?? trained.at(-1)
}

/** `Model as it came`, `Step 20, best`. */
export function checkpointName({ step, isBest }: Pick<CheckpointView, 'step' | 'isBest'>): string {
  if (step === 0) return 'Model as it came'
  return isBest ? `Step ${step}, best` : `Step ${step}`
}
