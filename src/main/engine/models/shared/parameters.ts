// Where a model's graph takes its parameters from: the checkpoint's files, or inputs when they are being trained.
// Names are those that transformers 4 and the hub write; the other generations of names are found by themselves.
import { StudioError } from '../../../../shared/errors.ts'
import type { Weights } from '../../folder/weights.ts'
import { elementCount, formatShape } from '../../graph/dims.ts'
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'

/** A parameter as a float32 value of the graph; asked twice it is the same value. */
export type Parameters = (name: string, shape: readonly number[]) => Value

/**
 * What the modules are called in checkpoints: first as transformers 4 and the hub do, then by the modules' own names,
 * then as transformers 5 does.
 */
const spellings: readonly (readonly string[])[] = [
  ['vision_tower.vision_model.', 'model.vision_tower.vision_model.', 'vision_tower.', 'model.vision_tower.'],
  ['multi_modal_projector.', 'model.multi_modal_projector.'],
  ['language_model.model.', 'model.language_model.'],
  ['language_model.lm_head.', 'lm_head.'],
]

/** The name under which a checkpoint holds the parameter. */
export function storedName(weights: Pick<Weights, 'has'>, name: string): string {
  const prefixes = spellings.find(([first]) => name.startsWith(first as string))
  if (!prefixes) return name
  const rest = name.slice((prefixes[0] as string).length)
  return prefixes.map((prefix) => prefix + rest).find((candidate) => weights.has(candidate)) ?? name
}

/** The path of a decoder layer without what checkpoints and adapters put before it, e.g. `layers.0.mlp.up_proj`. */
export function decoderPath(name: string): string {
  return name.replace(/^(model\.language_model|language_model\.model|language_model|model)\./, '')
}

/**
 * Parameters that stay in their files. Half precision is widened where it is used.
 * @throws StudioError `weights.missing-tensor`, `weights.wrong-shape`, `weights.unsupported-dtype`
 */
export function storedParameters(g: GraphBuilder, weights: Weights): Parameters {
  return remembering((name, shape) => {
    const stored = weights.get(storedName(weights, name))
    // A stored [out, channels, patch, patch] kernel may be read as the matrix [out, channels * patch * patch].
    if (elementCount(stored.shape) !== elementCount(shape) || stored.shape[0] !== shape[0]) {
      throw misfit('wrong-shape', stored.name, formatShape(shape), formatShape(stored.shape), weights.folder)
    }
    if (!/^(b?float16|float32|float64)$/.test(stored.dtype)) {
      throw misfit('unsupported-dtype', stored.name, 'floating-point numbers', stored.dtype, weights.folder)
    }
    const value = g.external(name, stored.dtype, shape, stored.slice)
    return value.dtype === 'float32' ? value : g.emit('Cast', [value], { to: 'float32' })
  })
}

/** Parameters that are fed at each run, because they are being trained. */
export function inputParameters(g: GraphBuilder): Parameters & { readonly all: ReadonlyMap<string, Value> } {
  const all = new Map<string, Value>()
  const parameters = remembering((name, shape) => {
    const value = g.input(name, 'float32', shape)
    all.set(name, value)
    return value
  })
  return Object.assign(parameters, { all })
}

function remembering(make: Parameters): Parameters {
  const known = new Map<string, Value>()
  return (name, shape) => {
    const value = known.get(name) ?? make(name, shape)
    known.set(name, value)
    return value
  }
}

function misfit(problem: string, name: string, expected: string, found: string, folder: string): StudioError {
  return new StudioError({
    code: `weights.${problem}`,
    message: `The tensor ${name} does not fit this model's config.json.`,
    remedy: 'Copy the model again: its config and its weights are not of the same model.',
    expected,
    found,
    where: folder,
  })
}
