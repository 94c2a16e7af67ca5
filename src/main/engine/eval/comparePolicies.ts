// Figures of several policies on the same images, and the differences of every two of them, paired by image. Before it
// stand figures as functions of how often each image counts (bootstrap.ts), after it jobs/evaluateWorkspace.ts.
import { type BootstrapOptions, bootstrapWeights, type Estimate } from './bootstrap.ts'

/** A figure of how often each image counts, [images]. */
export type WeightedFigure = (weights: Float64Array) => number

export interface PolicyComparison {
  /** Places of the policies, `before` the lower. */
  readonly before: number
  readonly after: number
  /** In the order of the figures: after less before, and 1 - after / before. */
  readonly figures: readonly { readonly difference: Estimate; readonly relativeReduction: Estimate }[]
}

/**
 * @param policies the same figures in the same order for each; they are called in this order for each resample
 * @returns estimates by policy and figure
 * @throws StudioError `run.bootstrap` when there are no images
 */
export function comparePolicies(
  imageCount: number,
  policies: readonly (readonly WeightedFigure[])[],
  options: BootstrapOptions,
): { byPolicy: Estimate[][]; differences: PolicyComparison[] } {
  const now = policies.map((figures) => new Float64Array(figures.length))
  const parts: Record<string, WeightedFigure> = {}
  for (const [p, figures] of policies.entries()) {
    for (const [f, figure] of figures.entries()) {
      parts[`${p} ${f}`] = (weights) => {
        const value = figure(weights)
        ;(now[p] as Float64Array)[f] = value
        return value
      }
    }
  }
  const pairs = policies.flatMap((_, after) => policies.slice(0, after).map((__, before) => ({ before, after })))
  const at = (p: number, f: number) => now[p]?.[f] ?? Number.NaN
  for (const { before, after } of pairs) {
    for (const f of (policies[before] ?? []).keys()) {
      parts[`${before} ${after} ${f} difference`] = () => at(after, f) - at(before, f)
      parts[`${before} ${after} ${f} reduction`] = () => 1 - at(after, f) / at(before, f)
    }
  }
  const estimates = bootstrapWeights(imageCount, parts, options)
  const estimate = (name: string) => estimates[name] as Estimate
  return {
    byPolicy: policies.map((figures, p) => figures.map((_, f) => estimate(`${p} ${f}`))),
    differences: pairs.map(({ before, after }) => ({
      ...{ before, after },
      figures: (policies[before] ?? []).map((_, f) => ({
        difference: estimate(`${before} ${after} ${f} difference`),
        relativeReduction: estimate(`${before} ${after} ${f} reduction`),
      })),
    })),
  }
}
