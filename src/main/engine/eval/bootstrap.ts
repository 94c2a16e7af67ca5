// Intervals by resampling images: every figure of an evaluation is computed again on images drawn with replacement.
// Before it stand the counts of each image (chair.ts, pope.ts, detection.ts), after it tables and result files.
// Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentile intervals).
import { StudioError } from '../../../shared/errors.ts'
import { quantile } from '../reward/quantile.ts'
import { philox4x32, Rng } from '../rng.ts'

/** A figure on all images, with the interval that resamples give. */
export interface Estimate {
  readonly value: number | null
  readonly low: number | null
  readonly high: number | null
  /** Images. */
  readonly n: number
  /** Resamples on which the figure could not be computed (nothing to divide by); they are left out. */
  readonly undefinedResamples: number
}

export interface BootstrapOptions {
  readonly seed: number
  readonly resamples: number
  /** Share of the resamples that the interval holds. */
  readonly level: number
}

export const defaultBootstrap: Omit<BootstrapOptions, 'seed'> = { resamples: 10_000, level: 0.95 }

/**
 * Figures that are functions of how often each image counts. All of them see the same resamples, so that before and
 * after, and every pair of figures, are paired by image.
 * @param imageCount images that are drawn from, with replacement, `imageCount` at a time
 * @param figures of weights `[images]`, whole numbers; a result that is not finite counts as undefined. The array is
 *   used again.
 * @throws StudioError `run.bootstrap` when there are no images
 */
export function bootstrapWeights<Name extends string>(
  imageCount: number,
  figures: Readonly<Record<Name, (weights: Float64Array) => number>>,
  { seed, resamples, level }: BootstrapOptions,
): Record<Name, Estimate> {
  if (imageCount < 1) {
    throw new StudioError({
      code: 'run.bootstrap',
      message: 'There are no images to evaluate on.',
      remedy: 'Choose at least one image with a response.',
      expected: 'at least 1 image',
      found: '0 images',
    })
  }
  const drawImages = imageDrawer(seed)
  const weights = new Float64Array(imageCount)
  const names = Object.keys(figures) as Name[]
  weights.fill(1)
  const values = names.map((name) => figures[name](weights))
  const drawn = names.map(() => new Float64Array(resamples))
  for (let resample = 0; resample < resamples; resample++) {
    drawImages(resample, weights)
    for (const [j, name] of names.entries()) (drawn[j] as Float64Array)[resample] = figures[name](weights)
  }
  const estimates = names.map(
    (name, j) => [name, estimateOf(values[j] as number, drawn[j] as Float64Array, level)] as const,
  )
  return Object.fromEntries(estimates.map(([name, one]) => [name, { ...one, n: imageCount }])) as Record<Name, Estimate>

  function estimateOf(value: number, all: Float64Array, share: number): Omit<Estimate, 'n'> {
    const defined = all.filter(Number.isFinite).sort()
    const tail = (1 - share) / 2
    return {
      value: Number.isFinite(value) ? value : null,
      low: quantile(defined, tail),
      high: quantile(defined, 1 - tail),
      undefinedResamples: all.length - defined.length,
    }
  }
}

/** Seeds of generators leave this bit of the key free, as rng.ts has it: resamples share no number with any of them. */
const resampleBit = 0x40000000

/**
 * Counts how often each image is drawn. Four images come from each block of random bits, which is four times as fast
 * as {@link Rng.below}; an image's probability is off by at most 2^-32.
 */
function imageDrawer(seed: number): (resample: number, weights: Float64Array) => void {
  const key = new Rng({ seed }).state.seed
  const block = new Uint32Array(4)
  return (resample, weights) => {
    weights.fill(0)
    const count = weights.length
    for (let i = 0; i < count; i += 4) {
      philox4x32(block, i, resample, 0, 0, key, Math.floor(key / 2 ** 32) | resampleBit)
      for (let j = 0; j < 4 && i + j < count; j++) {
        const image = Math.floor(((block[j] as number) * count) / 2 ** 32)
        weights[image] = (weights[image] as number) + 1
      }
    }
  }
}

/**
 * Figures that are functions of sums over images: means (Σ x / Σ 1), ratios (Σ hallucinated / Σ mentions), and
 * differences or relative reductions between two sets of columns of the same images.
 * @param columns one number an image, all of one length and in one order
 * @param figures of the columns' sums by name; the object is used again
 * @throws StudioError `run.bootstrap` when columns are empty or differ in length
 */
export function bootstrapSums<Column extends string, Name extends string>(
  columns: Readonly<Record<Column, ArrayLike<number>>>,
  figures: Readonly<Record<Name, (sums: Record<Column, number>) => number>>,
  options: BootstrapOptions,
): Record<Name, Estimate> {
  const imageCount = columnLength(columns)
  return bootstrapWeights(imageCount, figuresOfSums(columns, figures), options)
}

/**
 * Figures of columns as functions of how often each image counts. They share their sums, which the first of them makes:
 * for other weights it must be called first.
 * @throws StudioError `run.bootstrap` when columns differ in length
 */
export function figuresOfSums<Column extends string, Name extends string>(
  columns: Readonly<Record<Column, ArrayLike<number>>>,
  figures: Readonly<Record<Name, (sums: Record<Column, number>) => number>>,
): Record<Name, (weights: Float64Array) => number> {
  const summed = new SummedColumns(columns)
  const ofWeights = (Object.keys(figures) as Name[]).map((name, i) => [
    name,
    (weights: Float64Array) => {
      if (i === 0) summed.update(weights)
      return figures[name](summed.sums)
    },
  ])
  return Object.fromEntries(ofWeights)
}

function columnLength(columns: Readonly<Record<string, ArrayLike<number>>>): number {
  return Object.values(columns)[0]?.length ?? 0
}

class SummedColumns<Column extends string> {
  readonly imageCount: number
  readonly sums = {} as Record<Column, number>
  readonly #columns: readonly (readonly [Column, Float64Array])[]

  constructor(columns: Readonly<Record<Column, ArrayLike<number>>>, imageCount?: number) {
    this.#columns = (Object.keys(columns) as Column[]).map((name) => [name, Float64Array.from(columns[name])])
    this.imageCount = imageCount ?? this.#columns[0]?.[1].length ?? 0
    for (const [name, column] of this.#columns) requireLength(name, column.length, this.imageCount)
  }

  update(weights: Float64Array): void {
    for (const [name, column] of this.#columns) {
      let sum = 0
      for (let i = 0; i < weights.length; i++) sum += (weights[i] as number) * (column[i] as number)
      this.sums[name] = sum
    }
  }
}

/** Before, after and their change on the same images. */
export interface Comparison {
  readonly before: Estimate
  readonly after: Estimate
  /** After less before. */
  readonly difference: Estimate
  /** 1 - after / before: 0.3 is a fall by 30 %. */
  readonly relativeReduction: Estimate
}

/**
 * Compares figures before and after, paired by image.
 * @param before and `after`: columns of the same images in the same order
 * @throws StudioError `run.bootstrap`
 */
export function comparePaired<Column extends string, Name extends string>(
  before: Readonly<Record<Column, ArrayLike<number>>>,
  after: Readonly<Record<Column, ArrayLike<number>>>,
  figures: Readonly<Record<Name, (sums: Record<Column, number>) => number>>,
  options: BootstrapOptions,
): Record<Name, Comparison> {
  const first = new SummedColumns(before)
  const second = new SummedColumns(after, first.imageCount)
  const parts: Record<string, (weights: Float64Array) => number> = {}
  const names = Object.keys(figures) as Name[]
  for (const [i, name] of names.entries()) {
    const of = figures[name]
    let [was, is] = [Number.NaN, Number.NaN]
    // Called in this order for each resample.
    parts[`${name} before`] = (weights) => {
      if (i === 0) first.update(weights)
      if (i === 0) second.update(weights)
      ;[was, is] = [of(first.sums), of(second.sums)]
      return was
    }
    parts[`${name} after`] = () => is
    parts[`${name} difference`] = () => is - was
    parts[`${name} relativeReduction`] = () => 1 - is / was
  }
  const estimates = bootstrapWeights(first.imageCount, parts, options)
  const comparisons = names.map((name) => [
    name,
    {
      before: estimates[`${name} before`],
      after: estimates[`${name} after`],
      difference: estimates[`${name} difference`],
      relativeReduction: estimates[`${name} relativeReduction`],
    },
  ])
  return Object.fromEntries(comparisons) as Record<Name, Comparison>
}

function requireLength(name: string, found: number, expected: number): void {
  if (found === expected) return
  throw new StudioError({
    code: 'run.bootstrap',
    message: 'The figures before and after are not of the same images.',
    remedy: 'Evaluate both on the same images.',
    expected: `${expected} images`,
    found: `${found} images`,
    where: name,
  })
}
