// What a run changes: the adapter, and the value head that PPO learns beside it. Made anew at the start of a run, read
// back from a checkpoint when it resumes.
import type { RunConfig } from '../../../shared/runConfig.ts'
import type { LoraAdapter } from '../folder/peft.ts'
import { factorName, loraSlots, newAdapter } from '../models/shared/lora.ts'
import { newValueHead, type ValueHeadParameters } from '../models/shared/valueHead.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'
import type { Rng } from '../rng.ts'
import type { AdamWState, NamedArrays } from './optimiser/adamw.ts'

export interface Policy {
  readonly adapter: LoraAdapter
  readonly valueHead: ValueHeadParameters
  /** By group of parameters; empty before the first update. */
  readonly optimisers: Readonly<Record<string, AdamWState>>
}

/** A policy that answers as the model does. */
export function newPolicy({ config }: VlmSource, { adapter, optimiser }: RunConfig, rng: Rng): Policy {
  return {
    adapter: newAdapter(loraSlots(config.decoder), adapter, () => rng.uniform()),
    valueHead: newValueHead(config.decoder.hiddenSize, optimiser.valueWidth, () => rng.uniform()),
    optimisers: {},
  }
}

/** The adapter's factors by the names of a graph's inputs; the arrays are the adapter's own. */
export function adapterParameters({ layers }: LoraAdapter): NamedArrays {
  return Object.fromEntries(
    [...layers].flatMap(([path, { a, b }]) => [
      [factorName(path, 'a'), a],
      [factorName(path, 'b'), b],
    ]),
  )
}
