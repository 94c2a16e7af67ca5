// A report of a run that was made up, with round figures whose wording can be worked out by hand.
import type { AnnotationJoin } from '../../../../shared/annotationJoin.ts'
import type { ChairReport, Estimate, FigureComparison, JudgedResponse } from '../../../../shared/evaluation.ts'
import { presetConfig } from '../../../../shared/runConfig.ts'
import type { CalibrationView } from '../../../../shared/runView.ts'
import type { RunReport } from '../reportData.ts'
import type { ReportScene } from '../scenes.ts'

export const sampleImages = 500

export function estimate(value: number | null, low: number | null = null, high: number | null = null): Estimate {
  return { value, low, high, n: sampleImages, undefinedResamples: 0 }
}

type Interval = readonly [value: number, low: number, high: number]

export function comparison(
  before: Interval,
  after: Interval,
  difference: Interval,
  reduction: Interval,
): FigureComparison {
  return {
    before: estimate(...before),
    after: estimate(...after),
    difference: estimate(...difference),
    relativeReduction: estimate(...reduction),
  }
}

/** A response whose marked words follow it: name, whether it is hallucinated, score. Each is looked for in turn. */
export function judged(text: string, ...words: readonly (readonly [string, boolean, number])[]): JudgedResponse {
  let from = 0
  return {
    text,
    words: words.map(([name, isHallucinated, score]) => {
      const start = text.indexOf(name, from)
      from = start + name.length
      return { start, end: from, name, score, isHallucinated }
    }),
  }
}

/** A picture of one pixel. */
export const pixel = 'data:image/gif;base64,R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs='

export const sampleScene: ReportScene = {
  name: 'scene-0001.jpg',
  image: pixel,
  objects: ['cup', 'spoon', 'cake'],
  before: judged(
    'a party table with a cup, a cake and a pizza.',
    ['cup', false, 0.41],
    ['cake', false, 0.37],
    ['pizza', true, 0.08],
  ),
  after: judged(
    'a party table with a cup, a cake and a spoon.',
    ['cup', false, 0.41],
    ['cake', false, 0.37],
    ['spoon', false, 0.33],
  ),
}

const none = { count: 0, first: [] }

/** Annotations of which everything found its partner. */
export const wholeJoin: AnnotationJoin = {
  ...{ listed: sampleImages, found: sampleImages, strayAnnotations: 0, missing: none, ambiguous: none },
  ...{ otherFolder: none, unlisted: none, unknownCategories: none, unjudgedObjects: none },
}

export const sampleEvaluation: ChairReport = {
  annotations: wholeJoin,
  images: sampleImages,
  figures: {
    chairI: comparison([0.172, 0.155, 0.189], [0.105, 0.091, 0.12], [-0.067, -0.081, -0.054], [0.39, 0.31, 0.46]),
    chairIUnique: comparison([0.17, 0.153, 0.187], [0.104, 0.09, 0.119], [-0.066, -0.08, -0.053], [0.388, 0.31, 0.46]),
    chairS: comparison([0.512, 0.468, 0.556], [0.316, 0.276, 0.358], [-0.196, -0.238, -0.154], [0.383, 0.3, 0.46]),
    recall: comparison([0.877, 0.861, 0.892], [0.856, 0.839, 0.872], [-0.021, -0.032, -0.01], [0.024, 0.011, 0.036]),
    meanLength: comparison([16.8, 16.5, 17.1], [15.9, 15.6, 16.2], [-0.9, -1.2, -0.6], [0.054, 0.036, 0.071]),
    repetition: comparison([0.04, 0.02, 0.06], [0.03, 0.02, 0.05], [-0.01, -0.03, 0.01], [0.25, -0.3, 0.6]),
  },
  placebo: null,
  verifierAuroc: estimate(0.968, 0.957, 0.978),
  byObject: {
    before: [
      { name: 'pizza', annotated: 41, recalled: 38, mentions: 70, hallucinatedMentions: 32 },
      { name: 'cup', annotated: 58, recalled: 52, mentions: 71, hallucinatedMentions: 19 },
      { name: 'zebra', annotated: 30, recalled: 30, mentions: 30, hallucinatedMentions: 0 },
    ],
    after: [
      { name: 'cup', annotated: 58, recalled: 50, mentions: 62, hallucinatedMentions: 12 },
      { name: 'pizza', annotated: 41, recalled: 37, mentions: 48, hallucinatedMentions: 11 },
      { name: 'kite', annotated: 12, recalled: 11, mentions: 13, hallucinatedMentions: 2 },
    ],
  },
  responses: [{ ...sampleScene, objects: [...sampleScene.objects], path: '/images/scene-0001.jpg' }],
  skipped: [],
  durationMs: 21_400,
}

export const sampleCalibration: CalibrationView = {
  method: 'mixture',
  scores: 861,
  baselines: { muGt: 0.362, muHal: 0.142 },
  grounded: { share: 0.79, mean: 0.362, standardDeviation: 0.071 },
  hallucinated: { share: 0.21, mean: 0.142, standardDeviation: 0.088 },
  auroc: 0.952,
  overlap: 0.162,
  imageAuroc: 0.931,
  separation: 0.974,
  estimate: {
    auroc: { value: 0.952, low: 0.91, high: 0.98 },
    ownOverOther: { value: 0.931, low: 0.915, high: 0.944 },
    hallucinatedShare: { value: 0.21, low: 0.14, high: 0.27 },
    rawAuroc: 0.94,
    otherScores: 6888,
  },
  refusals: [],
}

const looks = [0, 4, 8, 12, 16, 20, 24]
const curve = (steps: readonly number[], of: (step: number) => number) =>
  steps.map((step) => ({ step, value: of(step) }))
const trained = Array.from({ length: 24 }, (_, i) => i + 1)

export const sampleReport: RunReport = {
  title: 'Demo run',
  createdAtMs: Date.UTC(2026, 10, 25, 12, 30),
  command: 'npm run demo -- --seed 3 --out demo-output',
  seed: 3,
  preset: 'quick-look',
  device: 'cpu',
  modelName: 'fisao-demo-llava',
  encoderName: 'fisao-demo-clip',
  versions: { 'FiSAO Studio': '0.1.0', 'ONNX Runtime': '1.30.0' },
  images: { alignment: 2000, validation: 96, evaluation: sampleImages },
  steps: { done: 24, best: 20 },
  resumedFrom: null,
  config: presetConfig('quick-look'),
  calibrationNotes: [],
  outcome: 'Step 20 against the model as it came.',
  calibration: sampleCalibration,
  curves: {
    'validation.hallucinationRate': curve(looks, (step) => 0.17 * Math.exp(-step / 40) + 0.004 * Math.sin(step)),
    'validation.coverage': curve(looks, (step) => 2.98 - 0.003 * step),
    klNats: curve(trained, (step) => 0.0016 * step),
    meanReward: curve(trained, (step) => 0.4 + 0.03 * step + 0.12 * Math.sin(2 * step)),
    hallucinatedShare: curve(trained, (step) => 0.22 - 0.004 * step + 0.01 * Math.cos(3 * step)),
    entropy: curve(trained, (step) => 0.52 - 0.006 * step),
    valueLoss: curve(trained, (step) => 0.3 / step),
    'time.rolloutMs': curve(trained, () => 1900),
  },
  run: null,
  evaluation: sampleEvaluation,
  bootstrapResamples: 10_000,
  scenes: [sampleScene],
  durationS: { total: 148.2, rollout: 52.4, reward: 3.1, update: 41.7, evaluate: 39.5 },
  tokensGenerated: 31_744,
  limits: ['The demo world is tiny.'],
  licences: ['The scenes are drawn.'],
}
