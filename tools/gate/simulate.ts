// The gate of the calibration on made-up verifiers whose truth is known: how near its AUROC comes, how often its interval
// holds it, whom it lets pass. For docs/gate.md.
//
//   npx tsx tools/gate/simulate.ts [--verifiers 1000] [--seed 1] [--resamples 60]
import { parseArgs } from 'node:util'
import { auroc } from '../../src/main/engine/reward/auroc.ts'
import { calibrateFree } from '../../src/main/engine/reward/calibration.ts'
import { type ComparedMention, chooseOtherImages } from '../../src/main/engine/reward/otherImages.ts'
import { Rng } from '../../src/main/engine/rng.ts'
import type { Calibration } from '../../src/shared/calibration.ts'
import { presetConfig } from '../../src/shared/runConfig.ts'
import { type ShapeName, shapeNames } from './scoreShapes.ts'
import { type KnowledgeKind, type Response, World } from './world.ts'

const { values } = parseArgs({
  options: {
    verifiers: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    resamples: { type: 'string', default: '60' },
  },
})
const limits = presetConfig('quick-look').calibration
/** Mentions that the truth is told from, and the share of hallucinated ones among them. */
const [truthMentions, truthShare] = [1500, 0.4]

interface Judged {
  readonly shape: ShapeName
  readonly kind: KnowledgeKind
  readonly scores: number
  readonly hallucinated: number
  /** Of scores less their words' levels, and of scores as they are. */
  readonly truth: number
  readonly rawTruth: number
  readonly calibration: Calibration
  /** Of the baselines, over the true gap between them. */
  readonly baselineErrors: readonly number[]
}

function judge(number: number): Judged {
  const rng = new Rng({ seed: Number(values.seed) }).fork(number)
  const shape = shapeNames[number % shapeNames.length] as ShapeName
  const kind = kindOf(rng.uniform())
  const scores = Math.round(64 * (2000 / 64) ** rng.uniform())
  const options = { shape, kind, auroc: 0.5 + 0.49 * rng.uniform(), hallucinated: 0.02 * 20 ** rng.uniform(), scores }
  const world = new World(options, rng.fork(1))
  const responses = world.respond(scores)
  const mentions = comparedMentionsOf(world, responses, rng.fork(2))
  const calibration = calibrateFree(mentions, { seed: number, limits, resamples: Number(values.resamples) })
  const labelled = responses.flatMap((one) => one.mentions)
  return {
    ...{ shape, kind, scores, calibration },
    hallucinated: labelled.filter(({ isRight }) => !isRight).length / labelled.length,
    baselineErrors: baselineErrors(world, responses, calibration),
    ...truthOf(world),
  }
}

function kindOf(draw: number): KnowledgeKind {
  if (draw < 0.6) return 'image'
  if (draw < 0.8) return 'nothing'
  return draw < 0.9 ? 'words only' : 'scene only'
}

function comparedMentionsOf(world: World, responses: readonly Response[], rng: Rng): ComparedMention[] {
  const named = responses.map(({ scene, mentions }) => ({
    ...{ image: String(scene), names: mentions.map(({ word }) => String(word)) },
  }))
  const chosen = chooseOtherImages(named, { count: limits.otherImages, rng })
  const numbers = new Map(chosen.images.map((key, number) => [key, number]))
  return responses.flatMap(({ scene, mentions }, i) =>
    mentions.map(({ word, isRight }) => ({
      ...{ image: numbers.get(String(scene)) as number, word: String(word) },
      score: world.score(scene, word, !isRight).raw,
      others: chosen.of(i, String(word)).map((image) => ({
        ...{ image, score: world.score(Number(chosen.images[image]), word).raw },
      })),
    })),
  )
}

function truthOf(world: World): Pick<Judged, 'truth' | 'rawTruth'> {
  const scored = world
    .respond(truthMentions, truthShare)
    .flatMap(({ scene, mentions }) =>
      mentions.map(({ word, isRight }) => ({ ...world.score(scene, word, !isRight), isRight })),
    )
  const [right, wrong] = [true, false].map((is) => scored.filter(({ isRight }) => isRight === is))
  const over = (of: 'free' | 'raw') =>
    auroc(
      (right ?? []).map((one) => one[of]),
      (wrong ?? []).map((one) => one[of]),
    ) ?? 0.5
  return { truth: over('free'), rawTruth: over('raw') }
}

/** Absolute errors of mu_gt and mu_hal, against the means of these very scores, over the gap between those. */
function baselineErrors(world: World, responses: readonly Response[], { baselines }: Calibration): number[] {
  const scored = responses.flatMap(({ scene, mentions }) =>
    mentions.map(({ word, isRight }) => ({ isRight, score: world.score(scene, word, !isRight).raw })),
  )
  const [gt, hal] = [true, false].map((is) =>
    mean(scored.filter((one) => one.isRight === is).map(({ score }) => score)),
  )
  if (!baselines || gt === undefined || hal === undefined || !(gt > hal)) return []
  return [baselines.muGt - gt, baselines.muHal - hal].map((error) => Math.abs(error) / (gt - hal))
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length
}

const startMs = performance.now()
const judged = Array.from({ length: Number(values.verifiers) }, (_, number) => judge(number))
const isAccepted = ({ calibration }: Judged) => calibration.refusals.length === 0
const intervalOf = ({ calibration }: Judged) => calibration.estimate?.auroc ?? { value: Number.NaN, low: 1, high: 0 }

function row(name: string, some: readonly Judged[]): string {
  const errors = some.map((one) => Math.abs(intervalOf(one).value - one.truth))
  const covered = some.map((one) => one.truth >= intervalOf(one).low && one.truth <= intervalOf(one).high)
  const shareOf = (flags: readonly boolean[]) => `${(100 * mean(flags.map(Number))).toFixed(0)} %`
  const cells = [
    name,
    some.length,
    mean(errors).toFixed(3),
    mean(some.map((one) => intervalOf(one).value - one.truth)).toFixed(3),
    shareOf(covered),
    shareOf(errors.map((error, i) => error <= 0.05 || covered[i] === true)),
    mean(some.map((one) => intervalOf(one).high - intervalOf(one).low)).toFixed(2),
    mean(
      some.map(({ calibration, hallucinated }) =>
        Math.abs((calibration.estimate?.hallucinatedShare.value ?? 0) - hallucinated),
      ),
    ).toFixed(3),
    mean(some.map(({ calibration, rawTruth }) => Math.abs((calibration.estimate?.rawAuroc ?? 0.5) - rawTruth))).toFixed(
      3,
    ),
    `${some.filter(isAccepted).length}`,
  ]
  return some.length === 0 ? '' : `| ${cells.join(' | ')} |`
}

const knowing = judged.filter(({ kind }) => kind === 'image')
const between = (low: number, high: number) => knowing.filter(({ truth }) => truth >= low && truth < high)
const sized = (low: number, high: number) => knowing.filter(({ scores }) => scores >= low && scores < high)
console.log(
  `| verifiers | n | mean absolute error | bias | interval holds the truth | that, or within 0.05 | width | error of the share | error of the raw AUROC | accepted |`,
)
console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |')
const print = (line: string) => line && console.log(line)
for (const name of shapeNames)
  print(
    row(
      name,
      knowing.filter(({ shape }) => shape === name),
    ),
  )
print(row('**all that know the image**', knowing))
for (const [low, high] of [
  [0, 0.6],
  [0.6, 0.7],
  [0.7, 0.85],
  [0.85, 1.1],
] as const)
  print(row(`true AUROC ${low} to ${Math.min(1, high)}`, between(low, high)))
for (const [low, high] of [
  [64, 200],
  [200, 600],
  [600, 2001],
] as const)
  print(row(`${low} to ${high - 1} scores`, sized(low, high)))
for (const one of ['nothing', 'words only', 'scene only'] as const)
  print(
    row(
      `**knows ${one}**`,
      judged.filter(({ kind }) => kind === one),
    ),
  )
for (const [low, high] of [
  [64, 200],
  [200, 600],
  [600, 2001],
] as const)
  print(
    row(
      `knows scene only, ${low} to ${high - 1} scores`,
      judged.filter(({ kind, scores }) => kind === 'scene only' && scores >= low && scores < high),
    ),
  )
const blind = judged.filter(({ kind }) => kind === 'nothing' || kind === 'words only')
const good = between(0.85, 1.1)
const rate = (some: readonly Judged[], of: readonly Judged[]) =>
  `${some.length} of ${of.length} (${((100 * some.length) / Math.max(1, of.length)).toFixed(1)} %)`
console.log(`\nfalse accepts of verifiers that know nothing or words only: ${rate(blind.filter(isAccepted), blind)}`)
console.log(
  `false refusals at a true AUROC of 0.85 or more: ${rate(
    good.filter((one) => !isAccepted(one)),
    good,
  )}`,
)
for (const least of [0.6, 0.65, 0.68, 0.7, 0.72, 0.75, 0.8]) {
  const passes = (one: Judged) =>
    intervalOf(one).value >= least &&
    (one.calibration.estimate?.ownOverOther.low ?? 0) > 0.5 &&
    (one.calibration.estimate?.ownOverOther.value ?? 0) >= limits.leastOwnOverOther
  const [poor, scenes] = [between(0, 0.6), judged.filter(({ kind }) => kind === 'scene only')]
  console.log(
    `limit ${least}: blind ${rate(blind.filter(passes), blind)}, scene only ${rate(scenes.filter(passes), scenes)}, below 0.6 ${rate(poor.filter(passes), poor)}, refused at 0.85 or more ${rate(
      good.filter((one) => !passes(one)),
      good,
    )}`,
  )
}
const errors = good.flatMap(({ baselineErrors: found }) => (found.length === 2 ? [found] : []))
console.log(
  `baselines at a true AUROC of 0.85 or more, mean error over the true gap: mu_gt ${mean(errors.map(([gt]) => gt as number)).toFixed(3)}, mu_hal ${mean(errors.map(([, hal]) => hal as number)).toFixed(3)}`,
)
console.log(`${((performance.now() - startMs) / 1000).toFixed(0)} s`)
