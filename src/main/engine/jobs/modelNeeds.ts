// The memory that describing, aligning and exporting are expected to need, computed from a model's sizes with the default
// batch of a run. An order of magnitude for a page; the check before a run measures (run/measureRun.ts).
import type { ModelFolder, ModelNeed } from '../../../shared/modelDetails.ts'
import { runConfigSchema } from '../../../shared/runConfig.ts'
import { loraSlots } from '../models/shared/lora.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'

const float32 = 4
/** Runtime, tokenizer and image decoder. */
const processBytes = 200e6

export function memoryNeeds({ config }: VlmSource, model: ModelFolder, encoder: ModelFolder | null): ModelNeed[] {
  const { rollout, adapter, optimiser } = runConfigSchema.parse({})
  const { decoder } = config
  // Half-precision weights are widened when they are read.
  const weights = float32 * (model.parameters + (encoder?.parameters ?? 0))
  const tokens = Math.min(decoder.maxPositions, (model.imageTokens ?? 0) + 2 * rollout.maxNewTokens)
  const cache = (responses: number) =>
    responses * tokens * 2 * decoder.layers * decoder.kvHeads * decoder.headDim * float32
  const logits = (responses: number) => responses * rollout.maxNewTokens * decoder.vocabSize * float32
  const factors = loraSlots(decoder).reduce((sum, slot) => sum + adapter.rank * (slot.inFeatures + slot.outFeatures), 0)
  // Factor, gradient and two moments.
  const trained = 4 * float32 * factors
  const rows = optimiser.microBatchSize * tokens
  // What a layer keeps for the backward pass: its inputs and outputs, three widths of the MLP, and attention's weights,
  // besides them the scores where they are capped.
  const scores = (decoder.scoreCap === null ? 1 : 2) * decoder.heads * tokens
  const layer = rows * (8 * decoder.hiddenSize + 3 * decoder.intermediateSize + scores) * float32
  const activations = decoder.layers * layer + 3 * logits(optimiser.microBatchSize)
  const need = (task: ModelNeed['task'], bytes: number, how: string): ModelNeed => ({
    task,
    bytes: Math.round(bytes),
    how,
  })
  return [
    need(
      'describe',
      processBytes + weights + cache(1),
      'All weights as 32-bit numbers, and the keys and values of one response.',
    ),
    need(
      'align',
      processBytes + weights + trained + Math.max(cache(rollout.batchSize), activations),
      `All weights, an adapter of rank ${adapter.rank} with its moments, and what ${optimiser.microBatchSize} responses in training or ${rollout.batchSize} in decoding keep.`,
    ),
    need('export', processBytes + 2 * largestPart(model), 'One part of the weights at a time, as it is and merged.'),
  ]
}

function largestPart({ parts }: ModelFolder): number {
  return Math.max(0, ...parts.flatMap(({ stored }) => stored.map(({ bytes }) => bytes)))
}
