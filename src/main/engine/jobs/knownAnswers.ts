// What the model as it came said to the same images in an earlier evaluation: a sweep has one evaluation a run, and the model
// behind its runs answers once. Asked by evaluateWorkspace.ts; knows db/takenAnswers.ts.
import { createHash } from 'node:crypto'
import type { EvaluationId } from '../../../shared/domain.ts'
import {
  type AnsweredBy,
  type EvaluationFacts,
  evaluationFactsSchema,
  type Measure,
} from '../../../shared/evaluations.ts'
import type { DeviceName } from '../../../shared/hardware.ts'
import type { ReadableDb } from '../../db/connection.ts'
import { countItems } from '../../db/evaluations.ts'
import { type AnswersOf, countAnswersOf, factsOfDone } from '../../db/takenAnswers.ts'
import { sha256Of, sha256OfText } from '../folder/hashes.ts'
import type { RunImage } from '../run/models.ts'
import type { Answering } from './describeWorkspace.ts'

/** The images behind an evaluation's items, in their order, as one number. */
export class ImagesHash {
  readonly #hash = createHash('sha256')

  add(images: readonly Pick<RunImage, 'imageId' | 'sha256'>[]): void {
    for (const { imageId, sha256 } of images) this.#hash.update(`${imageId} ${sha256}\n`)
  }

  /** 64 hexadecimal digits; nothing is added afterwards. */
  end(): string {
    return this.#hash.digest('hex')
  }
}

interface Asked {
  readonly measure: Measure
  readonly facts: EvaluationFacts
  readonly device: DeviceName
  /** Path of the lexicon of object words. */
  readonly lexicon: string
}

/**
 * All that the answers of a model as it came depend on, and what is told of them, but the images themselves.
 * @returns 64 hexadecimal digits; null for a policy that has learned, and where answers are judged once all are there
 */
export async function answersKey(
  { policy, identity, config }: Answering,
  { measure, facts, device, lexicon }: Asked,
): Promise<string | null> {
  if (measure.kind === 'annotation-free' || (policy.from === 'run' && policy.step > 0)) return null
  const { model, companion } = identity
  const models = [model, companion].map(({ weightsSha256, settingsSha256 }) => [weightsSha256, settingsSha256])
  const { batchSize } = config.rollout
  const { promptTemplate, otherNouns } = config.reward
  const settings = [config.base, batchSize, promptTemplate, otherNouns, device, await sha256Of([lexicon])]
  const { prompt, maxNewTokens, judged, sources } = facts
  return sha256OfText(JSON.stringify([models, settings, measure, prompt, maxNewTokens, judged, sources]))
}

/**
 * Answers to all items of an evaluation that another one has.
 * @param imagesSha256 of the images as they are now, asked for when there may be such answers
 */
export async function findAnswers(
  db: ReadableDb,
  { evaluationId, key, kind }: { evaluationId: EvaluationId; key: string; kind: Measure['kind'] },
  imagesSha256: () => Promise<string | null>,
): Promise<(AnswersOf & { answeredBy: AnsweredBy }) | null> {
  const { items } = countItems(db, evaluationId)
  const found = factsOfDone(db, kind).flatMap(({ evaluationId: other, facts }) => {
    const { answered = [] } = evaluationFactsSchema.safeParse(facts).data ?? {}
    return answered.flatMap((one, policy) =>
      one?.key === key ? [{ evaluationId: other, policy, answeredBy: one }] : [],
    )
  })
  const whole = found.filter((one) => countAnswersOf(db, one) === items)
  if (whole.length === 0) return null
  const now = await imagesSha256()
  return whole.find(({ answeredBy }) => answeredBy.imagesSha256 === now) ?? null
}
