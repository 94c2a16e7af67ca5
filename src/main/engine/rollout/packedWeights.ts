// Whether decoding lays weights out anew for the processor. Asked by generate.ts and, for what that takes, by run/memoryPlan.ts.
import type { VlmConfig } from '../models/architecture.ts'
import { loraSlots } from '../models/shared/lora.ts'
import { isQuantised } from '../models/shared/quantisedLinear.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'

/** Float32 weights of at most this many bytes are packed: a fifth less time a step, for a second copy of them. */
const mostPackedBytes = 2 ** 27

/**
 * Whether one session serves steps of any number of rows on the CPU, with its own copy of the weights in the processor's
 * layout: of 8 and 4 bits, where products need it, and of models so small that the copy does not matter
 * (docs/performance.md).
 */
export function packsWeights({
  config,
  weights,
}: Pick<VlmSource, 'weights'> & { readonly config: VlmConfig }): boolean {
  return isQuantised(weights) || productBytes(config) <= mostPackedBytes
}

/** Of the decoder's products as float32. */
function productBytes({ decoder }: VlmConfig): number {
  const head = decoder.vocabSize * decoder.hiddenSize
  return 4 * loraSlots(decoder).reduce((sum, { inFeatures, outFeatures }) => sum + inFeatures * outFeatures, head)
}
