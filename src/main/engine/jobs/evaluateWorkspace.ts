// An evaluation of the workspace, carried out: what takes part is written down, each policy answers what it has not answered
// yet, and figures are made of what is stored. Before it stands what a person asked for (app/evaluations.ts), after it the
// tables of db/evaluations.ts.
import type { Calibration } from '../../../shared/calibration.ts'
import { type EvaluationId, jsonSchema } from '../../../shared/domain.ts'
import { StudioError } from '../../../shared/errors.ts'
import {
  type AnsweredBy,
  type EvaluationFacts,
  evaluationFactsSchema,
  type NewEvaluation,
  newEvaluationSchema,
} from '../../../shared/evaluations.ts'
import type { WritableDb } from '../../db/connection.ts'
import {
  clearUnreadable,
  countAnswers,
  countItems,
  dropUnreadable,
  type EvaluationItem,
  type EvaluationRecord,
  evaluationById,
  itemsWithout,
  storeAnswers,
  storeItems,
} from '../../db/evaluations.ts'
import { requireOwner } from '../../db/owner.ts'
import { countAnswersOf, setFacts, takeAnswers } from '../../db/takenAnswers.ts'
import { sha256Of } from '../folder/hashes.ts'
import { embeddingKeyOf } from '../folder/modelIdentity.ts'
import { throwIfCancelled } from '../graph/ortSession.ts'
import { openTogether, releaseAll } from '../graph/resources.ts'
import { baseOptions } from '../models/baseFile.ts'
import { standApart } from '../reward/calibration.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import { AlignmentModels, type RunImage } from '../run/models.ts'
import { requireMostImages, type SkippedImage } from '../run/skippedImages.ts'
import type { EmbeddingStore } from '../run/verifier.ts'
import { type Answering, answeringOf, type DescribeRequest } from './describeWorkspace.ts'
import { countFigures } from './evaluationFigures.ts'
import { findItems } from './evaluationItems.ts'
import { openPolicy } from './jobInputs.ts'
import { openJobWorkers, openPlanner } from './jobWorkers.ts'
import { answersKey, findAnswers, ImagesHash } from './knownAnswers.ts'
import { measuringOf } from './measureOf.ts'
import type { Measuring, Said } from './measures.ts'
import { readLexicon } from './readLexicon.ts'
import { embeddingsIn } from './runStore.ts'
import { policyAtStep } from './storedRun.ts'
import type { WarmModels } from './warmModels.ts'

export interface EvaluationRequest extends DescribeRequest {
  readonly evaluationId: EvaluationId
}

/** How far it is: answers of all policies together. */
export interface EvaluationProgress {
  readonly phase: 'opening' | 'answering' | 'counting'
  readonly done: number
  readonly total: number
  /** Share of a model that is made ready; null while none is. */
  readonly readied: number | null
}

/** Items whose records are in memory at a time, and whose answers are stored at once. */
const itemsOfPage = 64

/**
 * Carries an evaluation out, or what is left of it.
 * @throws StudioError `run.no-images`, `run.annotations`, `run.pope`, `run.mme`, `run.amber`, `run.other-verifier`,
 *   `run.input-changed`, `run.images-missing`, `run.cancelled`, and what opening policies throws; what was stored stays
 */
export async function evaluateWorkspace(
  db: WritableDb,
  request: EvaluationRequest,
  warm: WarmModels,
  report: (progress: EvaluationProgress) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { evaluationId } = request
  const record = requireEvaluation(db, evaluationId)
  const asked = newEvaluationSchema.parse(record.request)
  const lexicon = await readLexicon(request.lexicon)
  report({ phase: 'opening', done: 0, total: 0, readied: null })
  const policies: Answering[] = []
  for (const policy of asked.policies) policies.push(await answeringOf(db, policy, warm, signal))
  const judging = judgingOf(asked, policies, record.names)
  const facts = await begin(db, record, { asked, policies, judging, lexicon })
  clearUnreadable(db, evaluationId)
  const measuring = await measuringOf(asked.measure, { lexicon, judged: new Set(facts.judged) })
  const total = asked.policies.length * countItems(db, evaluationId).items
  const progress = { done: countAnswers(db, evaluationId), total, readied: null }
  report({ phase: 'opening', ...progress })
  const answeredBy = facts.answered ? [...facts.answered] : policies.map(() => null)
  for (const [place, answering] of policies.entries()) {
    const answered = (count: number): void => {
      progress.done += count
      report({ phase: 'answering', ...progress })
    }
    const readying = (readied: number): void => report({ ...progress, phase: 'opening', readied })
    const key = await answersKey(answering, { ...asked, facts, ...request })
    const given = { asked, facts, place, answering, measuring, lexicon, key, answered, readying, signal }
    const by = await answerAll(db, { ...request, ...given })
    if (by === null) continue
    answeredBy[place] = by
    if (request.ownerToken !== null) requireOwner(db, request.ownerToken)
    setFacts(db, evaluationId, jsonSchema.parse({ ...facts, answered: answeredBy }))
  }
  throwIfCancelled(signal)
  report({ phase: 'counting', ...progress })
  dropUnreadable(db, evaluationId)
  countFigures(db, evaluationId, { policies: policies.length, measuring, calibration: judging.calibration })
}

function requireEvaluation(db: WritableDb, evaluationId: EvaluationId): EvaluationRecord {
  const record = evaluationById(db, evaluationId)
  if (record) return record
  throw new StudioError({
    code: 'run.no-evaluation',
    message: 'This evaluation is not in the workspace any more.',
    remedy: 'Start a new one.',
    where: `evaluation ${evaluationId}`,
  })
}

interface EvaluationJudging {
  readonly calibration: Calibration | null
  readonly judgedBy: string | null
  readonly noEstimate: EvaluationFacts['noEstimate']
}

/** One calibration judges all policies: that of the first run among them. @throws StudioError `run.other-verifier` */
function judgingOf(
  { measure }: NewEvaluation,
  policies: readonly Answering[],
  names: readonly string[],
): EvaluationJudging {
  const none = { calibration: null, judgedBy: null }
  if (measure.kind !== 'annotation-free') return { ...none, noEstimate: null }
  const place = policies.findIndex(({ judgedBy }) => judgedBy !== null)
  const judge = policies[place]
  if (!judge?.judgedBy) return { ...none, noEstimate: 'no-run' }
  if (!standApart(judge.judgedBy)) return { ...none, noEstimate: 'verifier-cannot-tell' }
  const key = ({ identity, config }: Answering) =>
    `${embeddingKeyOf(identity).toString('hex')} ${config.reward.promptTemplate} ${config.reward.otherNouns}`
  const other = policies.findIndex((policy) => key(policy) !== key(judge))
  if (other >= 0) throw otherVerifier(names[place] ?? '', names[other] ?? '')
  return { calibration: judge.judgedBy, judgedBy: names[place] ?? '', noEstimate: null }
}

/** Writes down what takes part, or holds files of before to what they were. @throws StudioError `run.input-changed` */
async function begin(
  db: WritableDb,
  { evaluationId, facts: known }: EvaluationRecord,
  given: { asked: NewEvaluation; policies: readonly Answering[]; judging: EvaluationJudging; lexicon: Lexicon },
): Promise<EvaluationFacts> {
  const { asked, policies, lexicon } = given
  if (known !== null) {
    const facts = evaluationFactsSchema.parse(known)
    for (const { path, sha256 } of facts.sources) {
      if ((await hashOrNull(path)) !== sha256) throw sourceChanged(path)
    }
    return facts
  }
  const { items, annotations, judged, sources } = await findItems(db, asked.measure, lexicon)
  const hashes = await Promise.all(sources.map(async (path) => ({ path, sha256: await sha256Of([path]) })))
  const { rollout } = (policies[0] as Answering).config
  const { judgedBy, noEstimate } = given.judging
  const facts: EvaluationFacts = {
    ...{ prompt: asked.prompt ?? rollout.question, maxNewTokens: asked.maxNewTokens ?? rollout.maxNewTokens },
    ...{ judgedBy, noEstimate, judged: judged && [...judged], annotations, sources: hashes },
  }
  storeItems(db, evaluationId, items, jsonSchema.parse(facts))
  return facts
}

interface AnswerAll extends Omit<EvaluationRequest, 'lexicon'> {
  readonly asked: NewEvaluation
  readonly facts: EvaluationFacts
  /** Of the policy. */
  readonly place: number
  readonly answering: Answering
  readonly measuring: Measuring
  readonly lexicon: Lexicon
  /** See {@link answersKey}. */
  readonly key: string | null
  readonly answered: (count: number) => void
  readonly readying: (share: number) => void
  readonly signal: AbortSignal | undefined
}

/** @returns what the answers are of, where that can be said of all of them */
async function answerAll(db: WritableDb, given: AnswerAll): Promise<AnsweredBy | null> {
  const { evaluationId, asked, facts, place, answering, key, signal } = given
  const { folders, identity } = answering
  const isLeft = itemsWithout(db, evaluationId, place, -1, 1).length > 0
  if (!isLeft) return null
  const answersAll = countAnswersOf(db, { evaluationId, policy: place }) === 0
  const taken = answersAll && key !== null ? await takeKnown(db, { ...given, key }) : null
  if (taken !== null) return taken
  const hash = new ImagesHash()
  let isWhole = answersAll
  const { rollout, ...others } = answering.config
  const config = { ...others, rollout: { ...rollout, question: facts.prompt, maxNewTokens: facts.maxNewTokens } }
  const { device, threads = null, lexicon } = given
  const shared = await openJobWorkers({ device, threads, config }, () => openPlanner(folders, config, itemsOfPage))
  const models = await openTogether(async (keep) => {
    await keep(Promise.resolve(shared.workers))
    return await AlignmentModels.open(folders, {
      ...{ device, config, lexicon, ...shared },
      base: baseOptions(identity.model.weightsSha256, given.readying, signal),
      // Embeddings of a person's own images would fill the workspace.
      embeddings: asked.measure.kind === 'annotation-free' ? embeddingsIn(db, embeddingKeyOf(identity)) : forgetful,
    })
  })
  try {
    const { runId } = answering.asked
    const policy = await openPolicy(answering.policy, config, models.source, {
      policyAt: ({ step }, ...how) => {
        if (runId === null) throw new Error('a model without a run has no steps')
        return policyAtStep(db, runId, step, ...how)
      },
    })
    const choice = asked.policies[place]
    const strength = choice?.from === 'run' ? choice.strength : 1
    for (let after = -1; ; ) {
      throwIfCancelled(signal)
      const page = itemsWithout(db, evaluationId, place, after, itemsOfPage)
      const last = page.at(-1)
      if (!last) return isWhole && key !== null ? { key, imagesSha256: hash.end() } : null
      after = last.item
      const { images, unreadable } = await hashAll(page)
      hash.add(images)
      const said = await models.respond(images, policy, {
        ...{ rng: null, strength, signal },
        question: (image) => questionOf(page, images[image], facts),
      })
      requireMostImages(page.length, [...unreadable, ...said.skipped], false)
      const answers = (await models.score(said.responses)).map(({ image, scored, reason }) => {
        const item = page.find(({ item: number }) => number === itemNumber(image)) as EvaluationItem
        const words: Said = { ...scored, isCut: reason === 'length' }
        return { item: item.item, text: scored.text, ...given.measuring.judge(item, words) }
      })
      const codes = new Map([...unreadable, ...said.skipped].map(({ path, code }) => [path, code]))
      const lost = page.filter(({ item }) => !answers.some((answer) => answer.item === item))
      isWhole &&= lost.length === 0
      if (given.ownerToken !== null) requireOwner(db, given.ownerToken)
      storeAnswers(db, evaluationId, place, {
        answers,
        unreadable: lost.map(({ item, path }) => ({ item, code: codes.get(path) ?? 'image.unreadable' })),
      })
      given.answered(answers.length)
    }
  } finally {
    await releaseAll([models, shared.workers])
  }
}

/** Takes over what another evaluation was answered to the same. */
async function takeKnown(db: WritableDb, given: AnswerAll & { readonly key: string }): Promise<AnsweredBy | null> {
  const { evaluationId, asked, place, key, signal } = given
  const known = await findAnswers(db, { evaluationId, key, kind: asked.measure.kind }, async () => {
    const hash = new ImagesHash()
    for (let after = -1; ; ) {
      throwIfCancelled(signal)
      const page = itemsWithout(db, evaluationId, place, after, itemsOfPage)
      const last = page.at(-1)
      if (!last) return hash.end()
      after = last.item
      const { images, unreadable } = await hashAll(page)
      if (unreadable.length > 0) return null
      hash.add(images)
    }
  })
  if (!known) return null
  if (given.ownerToken !== null) requireOwner(db, given.ownerToken)
  takeAnswers(db, known, { evaluationId, policy: place })
  given.answered(countItems(db, evaluationId).items)
  return known.answeredBy
}

const forgetful: EmbeddingStore = { get: () => undefined, put: () => undefined, flush: () => undefined }

/** Images are numbered from 1. */
function itemNumber({ imageId }: RunImage): number {
  return imageId - 1
}

function questionOf(page: readonly EvaluationItem[], image: RunImage | undefined, { prompt }: EvaluationFacts): string {
  return page.find(({ item }) => image && item === itemNumber(image))?.question ?? prompt
}

/** Images with the hash that they are read by; those that cannot even be hashed are unreadable. */
async function hashAll(page: readonly EvaluationItem[]): Promise<{ images: RunImage[]; unreadable: SkippedImage[] }> {
  const hashes = new Map<string, string | null>()
  for (const { path } of page) if (!hashes.has(path)) hashes.set(path, await hashOrNull(path))
  const images: RunImage[] = []
  const unreadable: SkippedImage[] = []
  for (const { item, path } of page) {
    const [imageId, sha256] = [item + 1, hashes.get(path) ?? null]
    if (sha256 === null) unreadable.push({ imageId, path, code: 'image.missing' })
    else images.push({ imageId, path, sha256 })
  }
  return { images, unreadable }
}

async function hashOrNull(path: string): Promise<string | null> {
  return await sha256Of([path]).catch(() => null)
}

function otherVerifier(one: string, other: string): StudioError {
  return new StudioError({
    code: 'run.other-verifier',
    message: 'The policies do not have the same verifier, so its estimates cannot be compared.',
    remedy: 'Evaluate policies of one model with one encoder; or use annotations, which judge all alike.',
    expected: `the encoder of ${one}`,
    found: `that of ${other}`,
  })
}

function sourceChanged(where: string): StudioError {
  return new StudioError({
    code: 'run.input-changed',
    message:
      'A file of this evaluation is gone or was changed since it began, so the rest would not fit what was answered.',
    remedy: 'Put the old file back, then resume; or start a new evaluation with the file as it is now.',
    where,
  })
}
