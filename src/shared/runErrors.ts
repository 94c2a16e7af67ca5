// What main and engine both say when a run or its control is not there, or cannot be judged.
import type { ModelId, RunId } from './domain.ts'
import { StudioError } from './errors.ts'

/** `run.missing` */
export function missingRun(runId: RunId): StudioError {
  return new StudioError({
    code: 'run.missing',
    message: 'This run is not in the workspace; it was deleted.',
    remedy: 'Choose another run.',
    where: `run ${runId}`,
  })
}

/** `model.missing` */
export function missingModel(modelId: ModelId): StudioError {
  return new StudioError({
    code: 'model.missing',
    message: 'This model is not in the workspace; it was removed.',
    remedy: 'Choose another model, or add it again.',
    where: `model ${modelId}`,
  })
}

/** `run.no-checkpoint` */
export function noCheckpoint(runId: RunId, step: number): StudioError {
  return new StudioError({
    code: 'run.no-checkpoint',
    message: `This run has no checkpoint at step ${step}.`,
    remedy: 'Choose another checkpoint of the run.',
    where: `run ${runId}`,
  })
}

/** `run.no-companion` */
export function noCompanion(modelFolder: string): StudioError {
  return new StudioError({
    code: 'run.no-companion',
    message: 'This model has no encoder with a text tower yet, so nothing can judge its words.',
    remedy: 'Add the model again with the CLIP or SigLIP model that its image tower was taken from.',
    where: modelFolder,
  })
}

/** `run.no-placebo` */
export function noPlacebo(): StudioError {
  return new StudioError({
    code: 'run.no-placebo',
    message: 'This run has no placebo, so its effect cannot be told from that of a verifier that knows nothing.',
    remedy: 'Make a run with the same model, seed and settings and the verifier “placebo”.',
  })
}

/** `run.no-weights` */
export function noWeights(step: number): StudioError {
  return new StudioError({
    code: 'run.no-weights',
    message: `The weights of step ${step} are not in the workspace any more; they were dropped to save space.`,
    remedy: 'Choose a checkpoint that still has its weights; pin those that should be kept.',
    where: `step ${step}`,
  })
}

/** `image.not-here` */
export function missingImage(imageId: number): StudioError {
  return new StudioError({
    code: 'image.not-here',
    message: 'This image is not in the workspace.',
    remedy: 'Choose another image, or add it again.',
    where: `image ${imageId}`,
  })
}

/**
 * `run.memory`: the run cannot be held by this machine.
 * @param found.lighter settings with which it can be, or null when there are none
 */
export function tooLarge(found: {
  readonly neededBytes: number
  readonly machineBytes: number
  readonly lighter: {
    readonly batchSize: number
    readonly microBatchSize: number
    readonly recompute: boolean
    readonly format: string
  } | null
}): StudioError {
  const { neededBytes, machineBytes, lighter } = found
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`
  const remedy = lighter
    ? `Choose ${lighter.format === 'int8' ? '8 bits for the model, ' : ''}${lighter.batchSize} responses decoded together, ${lighter.microBatchSize} in memory at once` +
      `${lighter.recompute ? ', and recompute activations' : ''}: that fits.`
    : 'Choose a smaller model: no setting of this run fits.'
  return new StudioError({
    code: 'run.memory',
    message: `This run needs about ${gigabytes(neededBytes)} of memory; this computer has ${gigabytes(machineBytes)}.`,
    remedy,
    expected: `at most ${machineBytes} bytes`,
    found: `${neededBytes} bytes`,
  })
}
