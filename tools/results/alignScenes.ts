// One alignment of a model on scenes of the demo world and its CHAIR before and after, without the app: the jobs that the
// engine process runs, their store in memory. measure.ts repeats it for the tables of docs/results.md.

import type { ModelFolders } from '../../src/main/engine/folder/modelIdentity.ts'
import { identifyModels } from '../../src/main/engine/folder/modelIdentity.ts'
import { annotatedImages } from '../../src/main/engine/jobs/annotatedImages.ts'
import { jobFileOf, jobModelsOf, jobVersion } from '../../src/main/engine/jobs/jobInputs.ts'
import { MemoryJobStore } from '../../src/main/engine/jobs/memoryStore.ts'
import { readLexicon } from '../../src/main/engine/jobs/readLexicon.ts'
import { runJob } from '../../src/main/engine/jobs/runJob.ts'
import { auroc } from '../../src/main/engine/reward/auroc.ts'
import { labelledScores } from '../../src/main/engine/reward/labels.ts'
import type { CommittedStep } from '../../src/main/engine/run/alignmentRun.ts'
import type { AnnotatedRunImage } from '../../src/main/engine/run/judge.ts'
import { bestLook } from '../../src/main/engine/run/lookChoice.ts'
import type { StepTimes } from '../../src/main/engine/run/schedule.ts'
import type { ChairReport } from '../../src/shared/evaluation.ts'
import type { AlignJob, EvaluateJob } from '../../src/shared/job.ts'
import type { Look } from '../../src/shared/look.ts'
import type { RunConfig } from '../../src/shared/runConfig.ts'
import { runPhases } from '../../src/shared/runProgress.ts'
import type { SceneFolder } from '../scenes/sceneFolder.ts'

export interface Alignment {
  readonly config: RunConfig
  readonly seed: number
  readonly folders: ModelFolders
  readonly lexicon: string
  readonly threads: number
  /** Scenes to align on; a part of them is only looked at. */
  readonly scenes: SceneFolder
  readonly mostScenes: number
}

export interface Aligned {
  readonly job: AlignJob
  /** With the policies at each look, and at the last step. */
  readonly store: MemoryJobStore
  readonly steps: number
  readonly best: Look
  readonly looks: readonly Look[]
  readonly klNats: readonly number[]
  /** Tokens sampled in training up to and with each step; of the whole run at its end. */
  readonly tokens: readonly number[]
  readonly times: StepTimes
  readonly calibration: CommittedStep['calibration']
  /** Of the calibration's scores, against the annotations, which the run itself did not read. */
  readonly aurocAnnotated: number | null
}

/** The control of an alignment: the same one, judged by other images. */
export function placeboOf({ config, ...alignment }: Alignment): Alignment {
  return { ...alignment, config: { ...config, reward: { ...config.reward, verifier: 'placebo' } } }
}

/** Runs the alignment to its end. */
export async function alignOnScenes(alignment: Alignment, print: (line: string) => void): Promise<Aligned> {
  const { config, scenes, mostScenes } = alignment
  const lexicon = await readLexicon(alignment.lexicon)
  const { images, judged } = await annotatedImages(scenes.images, scenes.annotations, lexicon, mostScenes)
  const job = await alignJobOf(alignment, images)
  const store = new MemoryJobStore(({ step, looks, update }) => {
    const look = looks.at(-1)
    if (look?.step === step) print(lookLine(look, update?.klNats ?? 0))
  })
  const { steps } = await runJob<'align'>(job, store, () => undefined)
  const { committed } = store
  const { looks, calibration } = committed.at(-1) as CommittedStep
  return {
    ...{ job, store, steps, looks, calibration, best: bestLook(looks, config) },
    klNats: committed.flatMap(({ update }) => (update ? [update.klNats] : [])),
    tokens: cumulative(committed.map(({ trained }) => trained.reduce((count, { tokens }) => count + tokens.length, 0))),
    times: sumTimes(committed.map(({ times }) => times)),
    aurocAnnotated: annotatedAuroc(committed, images, judged),
  }
}

async function alignJobOf(
  { config, seed, folders, lexicon, threads, scenes }: Alignment,
  images: readonly AnnotatedRunImage[],
): Promise<AlignJob> {
  const isAnnotated = config.calibration.method === 'annotated'
  return {
    ...{ kind: 'align', ...jobVersion, name: 'Scenes', preset: 'scenes', config, seed, threads, device: 'cpu' },
    models: jobModelsOf(folders, await identifyModels(folders, null)),
    lexicon: await jobFileOf(lexicon),
    images: images.map(({ imageId, path, sha256 }) => ({ imageId, path, sha256 })),
    annotations: isAnnotated ? await jobFileOf(scenes.annotations) : null,
  }
}

/** How the scores of the first steps' words tell those that the annotations have from those that they do not have. */
function annotatedAuroc(
  committed: readonly CommittedStep[],
  images: readonly AnnotatedRunImage[],
  judged: ReadonlySet<string>,
): number | null {
  const objects = new Map(images.map((image) => [image.sha256, image.objects]))
  const mentions = committed
    .slice(0, 4)
    .flatMap(({ trained }) =>
      trained.flatMap(({ mentions: found, response }) =>
        labelledScores(found, objects.get(response.image.sha256) ?? new Set(), judged),
      ),
    )
  return auroc(
    mentions.filter(({ isPresent }) => isPresent).map(({ score }) => score),
    mentions.filter(({ isPresent }) => !isPresent).map(({ score }) => score),
  )
}

/** CHAIR of the model as it came and of a step of the run, on other scenes. */
export async function compareOnScenes(
  { job, store }: Pick<Aligned, 'job' | 'store'>,
  step: number,
  held: SceneFolder,
  strength: number,
): Promise<ChairReport> {
  const { config, seed, models, lexicon, device, threads } = job
  const evaluation: EvaluateJob = {
    ...{ kind: 'evaluate', ...jobVersion, config, seed, models, lexicon, device, threads, strength },
    policies: {
      ...{ before: { from: 'model' }, after: { from: 'run', step } },
      placebo: store.placebo && { from: 'placebo', step },
    },
    images: { folder: held.images, annotations: await jobFileOf(held.annotations), most: null },
  }
  return await runJob<'evaluate'>(evaluation, store, () => undefined)
}

function lookLine(
  { step, hallucinationRate, coverage, meanWords, meanRepeatedMentions }: Look,
  klNats: number,
): string {
  const parts = [
    `step ${step}`,
    `estimated hallucination ${(100 * hallucinationRate).toFixed(1)} %`,
    `coverage ${coverage.toFixed(2)}`,
    `words ${meanWords.toFixed(1)}`,
    `repeats ${meanRepeatedMentions.toFixed(2)}`,
    `KL ${klNats.toFixed(3)}`,
  ]
  return parts.join(', ')
}

function cumulative(counts: readonly number[]): number[] {
  let sum = 0
  return counts.map((count) => {
    sum += count
    return sum
  })
}

function sumTimes(times: readonly StepTimes[]): StepTimes {
  return Object.fromEntries(
    runPhases.map((phase) => [phase, times.reduce((sum, one) => sum + one[phase], 0)]),
  ) as unknown as StepTimes
}
