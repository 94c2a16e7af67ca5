// The first values of trained parameters, from a seed. Before it stands the graph that names them, after it trainer.ts.
import { Rng } from '../../src/main/engine/rng.ts'

/** Standard deviation of a parameter's first values, or the constant that all of them take. */
export type Initial = { readonly std: number } | { readonly constant: number }

/** First values of all parameters by their shapes; `rule` tells how each begins. */
export function initialise(
  shapes: ReadonlyMap<string, readonly number[]>,
  seed: number,
  rule: (name: string, shape: readonly number[]) => Initial,
): Record<string, Float32Array> {
  const parameters: Record<string, Float32Array> = {}
  const root = new Rng({ seed })
  for (const [name, shape] of shapes) {
    const count = shape.reduce((a, b) => a * b, 1)
    const initial = rule(name, shape)
    const rng = root.fork(Object.keys(parameters).length)
    parameters[name] =
      'std' in initial
        ? Float32Array.from({ length: count }, () => rng.normal() * initial.std)
        : new Float32Array(count).fill(initial.constant)
  }
  return parameters
}

/** Norms begin as the identity, biases at 0, embeddings small, matrices by their inputs. */
export function transformerRule(layers: number): (name: string, shape: readonly number[]) => Initial {
  return (name, shape) => {
    if (/bias$/.test(name)) return { constant: 0 }
    if (/norm\w*\.weight$/.test(name)) return { constant: 1 }
    if (/position_embedding/.test(name)) return { std: 0.1 }
    if (/embed_tokens|token_embedding|class_embedding/.test(name)) return { std: 0.05 }
    const inputs = shape.at(-1) as number
    // Branches that are added to the residual stream begin smaller (Radford et al. 2019).
    const isBranchEnd = /(out_proj|o_proj|fc2|down_proj)\.weight$/.test(name)
    return { std: inputs ** -0.5 * (isBranchEnd ? (2 * layers) ** -0.5 : 1) }
  }
}
