// One alignment of a model on scenes of the demo world and its CHAIR before and after, without the app: the pipeline as
// the engine process runs it, its commits kept in memory. measure.ts repeats it for the tables of docs/results.md.

import { restorePolicy, type StoredPolicy, storePolicy } from '../../src/main/engine/align/checkpoint.ts'
import type { ModelFolders } from '../../src/main/engine/folder/modelIdentity.ts'
import { annotatedImages } from '../../src/main/engine/jobs/annotatedImages.ts'
import { readLexicon } from '../../src/main/engine/jobs/readLexicon.ts'
import { loraSlots } from '../../src/main/engine/models/shared/lora.ts'
import { valueHeadShapes } from '../../src/main/engine/models/shared/valueHead.ts'
import { auroc } from '../../src/main/engine/reward/auroc.ts'
import type { Lexicon } from '../../src/main/engine/reward/lexicon.ts'
import { align } from '../../src/main/engine/run/align.ts'
import type { CommittedStep, RunStore } from '../../src/main/engine/run/alignmentRun.ts'
import { type AnnotatedRunImage, evaluateChair } from '../../src/main/engine/run/judge.ts'
import { AlignmentModels } from '../../src/main/engine/run/models.ts'
import { type StepTimes, splitImages } from '../../src/main/engine/run/schedule.ts'
import type { ChairReport } from '../../src/shared/evaluation.ts'
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
  readonly steps: number
  readonly best: Look
  readonly looks: readonly Look[]
  /** At each look, and at the last step. */
  readonly policies: ReadonlyMap<number, StoredPolicy>
  readonly klNats: readonly number[]
  /** Tokens sampled in training up to and with each step; of the whole run at its end. */
  readonly tokens: readonly number[]
  readonly times: StepTimes
  readonly calibration: CommittedStep['calibration']
  /** Of the calibration's scores, against the annotations, which the run itself did not read. */
  readonly aurocAnnotated: number | null
}

/** Runs the pipeline to its end. */
export async function alignOnScenes(alignment: Alignment, print: (line: string) => void): Promise<Aligned> {
  const { config, seed, folders, threads } = alignment
  const lexicon = await readLexicon(alignment.lexicon)
  const { images: annotated } = await annotatedImages(
    alignment.scenes.images,
    alignment.scenes.annotations,
    lexicon,
    alignment.mostScenes,
  )
  const objects = new Map(annotated.map((image) => [image.sha256, image.objects]))
  const { images, validation } = splitImages(annotated, config, seed)
  const committed: CommittedStep[] = []
  const policies = new Map<number, StoredPolicy>()
  const store: RunStore = {
    embeddings: { get: () => undefined, put: () => undefined, flush: () => undefined },
    load: () => null,
    commit(step) {
      committed.push({ ...step, trained: step.trained.map((one) => ({ ...one, imageFeatures: [] })) })
      if (step.looks.at(-1)?.step === step.step) policies.set(step.step, structuredClone(storePolicy(step.policy)))
      const look = step.looks.at(-1)
      if (look?.step === step.step) print(lookLine(look, step.update?.klNats ?? 0))
    },
  }
  const run = {
    ...{ config, seed, threads, folders, lexicon, images, validation, device: 'cpu' as const },
    annotations: config.calibration.method === 'annotated' ? (sha256: string) => objects.get(sha256) ?? null : null,
  }
  const { steps, best } = await align(run, store, () => undefined)
  const last = committed.at(-1) as CommittedStep
  policies.set(steps, structuredClone(storePolicy(last.policy)))
  const mentions = committed
    .slice(0, 4)
    .flatMap(({ trained }) =>
      trained.flatMap(({ mentions: found, response }) =>
        found.map(({ name, score }) => ({ score, isPresent: objects.get(response.image.sha256)?.has(name) === true })),
      ),
    )
  return {
    ...{ steps, best, policies, looks: last.looks, calibration: last.calibration },
    klNats: committed.flatMap(({ update }) => (update ? [update.klNats] : [])),
    tokens: cumulative(committed.map(({ trained }) => trained.reduce((count, { tokens }) => count + tokens.length, 0))),
    times: sumTimes(committed.map(({ times }) => times)),
    aurocAnnotated: auroc(
      mentions.filter(({ isPresent }) => isPresent).map(({ score }) => score),
      mentions.filter(({ isPresent }) => !isPresent).map(({ score }) => score),
    ),
  }
}

/** CHAIR of the model as it came and of one of the run's policies, on other scenes. */
export async function compareOnScenes(
  { config, folders, lexicon: path, threads, seed }: Alignment,
  policies: { readonly before: StoredPolicy; readonly after: StoredPolicy },
  images: readonly AnnotatedRunImage[],
  strength: number,
): Promise<ChairReport> {
  const lexicon: Lexicon = await readLexicon(path)
  const models = await AlignmentModels.open(folders, { device: 'cpu', threads, config, lexicon })
  const { decoder } = models.source.config
  const restored = ({ cursor, parts }: StoredPolicy) =>
    restorePolicy(
      cursor,
      loraSlots(decoder),
      valueHeadShapes(decoder.hiddenSize, config.optimiser.valueWidth),
      (name) => Uint8Array.from(parts[name] as Uint8Array),
    )
  try {
    const both = { before: restored(policies.before), after: restored(policies.after) }
    return await evaluateChair(models, images, both, { lexicon, strength, seed })
  } finally {
    await models.release()
  }
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
