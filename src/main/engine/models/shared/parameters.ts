// Where a model's graph takes its parameters from: the checkpoint's files, or inputs when they are being trained. Asked
// by modules (tower, projector, decoder ...), each by paths of its own; what a module is called in a checkpoint its
// architecture says. The formats of weights are in linear.ts and
// quantisedLinear.ts.
import { StudioError } from '../../../../shared/errors.ts'
import { type StoredTensor, weightsError } from '../../folder/safetensors.ts'
import type { Weights } from '../../folder/weights.ts'
import { type Dim, elementCount, formatShape } from '../../graph/dims.ts'
import type { GraphBuilder } from '../../graph/graphBuilder.ts'
import type { Value } from '../../graph/ir.ts'
import { tensorOps } from '../../graph/tensorOps.ts'
import { floatWeight, type LinearWeight, weightFormats } from './linear.ts'
import { type ProductUse, quantisedWeight } from './quantisedLinear.ts'

export interface LinearOptions {
  /** Adds the layer's `bias`. */
  readonly bias?: boolean
  /** See {@link LinearWeight.product}. */
  readonly weightsFirst?: boolean
}

/** The parameters of one module, by their paths in it; asked twice a parameter is the same value. */
export interface Parameters {
  /** A parameter as float32 of this shape. */
  tensor(path: string, shape: readonly number[]): Value
  /** The layer at this path, x Wᵀ (+ b): x [..., in] to [..., outputs]. */
  linear(path: string, x: Value, outputs: number, options?: LinearOptions): Value
  /** Rows of the table [rows, width] at this path: ids [...] to [..., width]. */
  embedding(path: string, ids: Value, rows: number, width: number): Value
}

/**
 * What the modules of an architecture are called in checkpoints: for each the prefixes that were ever written, the
 * first of them being its name in graphs and in what is trained here.
 */
export type ModuleNames<Module extends string = string> = Readonly<Record<Module, readonly [string, ...string[]]>>

export type ModelParameters<Module extends string> = Readonly<Record<Module, Parameters>>

/** The name under which a checkpoint holds a module's parameter; its first spelling where it holds none. */
export function storedName(
  weights: Pick<Weights, 'has'>,
  prefixes: readonly [string, ...string[]],
  path: string,
): string {
  return prefixes.map((prefix) => prefix + path).find((name) => weights.has(name)) ?? prefixes[0] + path
}

/**
 * Parameters that stay in their files.
 * @throws StudioError `weights.missing-tensor`, `weights.wrong-shape`, `weights.unsupported-dtype`
 */
export function storedParameters<Module extends string>(
  g: GraphBuilder,
  weights: Weights,
  names: ModuleNames<Module>,
  use: ProductUse = 'exact',
): ModelParameters<Module> {
  return byModule(g, names, (prefixes, path, shape) => {
    const quantised = quantisedWeight(g, weights, prefixes[0] + path, shape, use)
    if (quantised) return quantised
    const stored = weights.get(storedName(weights, prefixes, path))
    // A stored [out, channels, patch, patch] kernel may be read as the matrix [out, channels * patch * patch].
    if (elementCount(stored.shape) !== elementCount(shape) || stored.shape[0] !== shape[0]) {
      throw misfit(stored, weights.folder, formatShape(shape), formatShape(stored.shape))
    }
    const format = weightFormats.find(({ matches }) => matches(stored))
    if (!format) {
      const what = `The tensor ${stored.name} is of the type ${stored.dtype}, which cannot be computed with.`
      throw weightsError('unsupported-dtype', weights.folder, what, { found: stored.dtype })
    }
    return format.weight(g, prefixes[0] + path, shape, stored)
  })
}

/** Parameters that are fed at each run, because they are being trained; `all` of them by their names in the graph. */
export function inputParameters<Module extends string>(
  g: GraphBuilder,
  names: ModuleNames<Module>,
): { readonly modules: ModelParameters<Module>; readonly all: ReadonlyMap<string, Value> } {
  const all = new Map<string, Value>()
  const modules = byModule(g, names, ([prefix], path, shape) => {
    const value = g.input(prefix + path, 'float32', shape)
    all.set(value.name, value)
    return floatWeight(g, value)
  })
  return { modules, all }
}

function byModule<Module extends string>(
  g: GraphBuilder,
  names: ModuleNames<Module>,
  make: (prefixes: readonly [string, ...string[]], path: string, shape: readonly number[]) => LinearWeight,
): ModelParameters<Module> {
  const modules = Object.entries<readonly [string, ...string[]]>(names).map(([module, prefixes]) => [
    module,
    parametersOf(g, (path, shape) => make(prefixes, path, shape)),
  ])
  return Object.fromEntries(modules) as ModelParameters<Module>
}

function parametersOf(g: GraphBuilder, make: (path: string, shape: readonly number[]) => LinearWeight): Parameters {
  const { embedding, reshape } = tensorOps(g)
  const known = new Map<string, LinearWeight>()
  const weightAt = (path: string, shape: readonly number[]): LinearWeight => {
    const weight = known.get(path) ?? make(path, shape)
    known.set(path, weight)
    return weight
  }
  const tensor = (path: string, shape: readonly number[]) => weightAt(path, shape).dense()
  return {
    tensor,
    linear(path, x, outputs, { bias = false, weightsFirst = false } = {}) {
      const [rows, inputs] = [x.shape.slice(0, -1), x.shape.at(-1) as number]
      const weight = weightAt(below(path, 'weight'), [outputs, inputs])
      const c = bias ? tensor(below(path, 'bias'), [outputs]) : undefined
      if (rows.length === 1) return weight.product(x, c, weightsFirst)
      const flat: Dim[] = [elementCount(rows), inputs]
      return reshape(weight.product(reshape(x, flat), c, weightsFirst), [...rows, outputs])
    },
    embedding: (path, ids, rows, width) => embedding(tensor(below(path, 'weight'), [rows, width]), ids),
  }
}

/** A module that is one layer has its parameters at the path ''. */
function below(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

function misfit({ name }: StoredTensor, folder: string, expected: string, found: string): StudioError {
  return new StudioError({
    code: 'weights.wrong-shape',
    message: `The tensor ${name} does not fit this model's config.json.`,
    remedy: 'Copy the model again: its config and its weights are not of the same model.',
    expected,
    found,
    where: folder,
  })
}
