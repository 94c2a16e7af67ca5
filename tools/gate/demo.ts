// The gate on a model whose truth is annotated: what calibration estimates from sampled responses to the sample scenes,
// and what the annotations say, which it does not read. For docs/gate.md.
//
//   npx tsx tools/gate/demo.ts [--model DIR] [--images 134] [--seed 1]
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { newPolicy } from '../../src/main/engine/align/policy.ts'
import { annotatedImages } from '../../src/main/engine/jobs/annotatedImages.ts'
import { readLexicon } from '../../src/main/engine/jobs/readLexicon.ts'
import { auroc } from '../../src/main/engine/reward/auroc.ts'
import { calibrateFree } from '../../src/main/engine/reward/calibration.ts'
import { centreScores } from '../../src/main/engine/reward/otherImages.ts'
import { Rng } from '../../src/main/engine/rng.ts'
import { compareMentions } from '../../src/main/engine/run/comparedMentions.ts'
import { AlignmentModels } from '../../src/main/engine/run/models.ts'
import { presetConfig } from '../../src/shared/runConfig.ts'

const resources = join(import.meta.dirname, '../../resources')
const { values } = parseArgs({
  options: {
    model: { type: 'string', default: join(resources, 'demo-model') },
    images: { type: 'string', default: '134' },
    seed: { type: 'string', default: '1' },
  },
})
const seed = Number(values.seed)
const config = presetConfig('quick-look')
const lexicon = await readLexicon(join(resources, 'lexicons/scene-objects.json'))
const samples = join(resources, 'samples')
const { images } = await annotatedImages(
  join(samples, 'images'),
  join(samples, 'annotations.json'),
  lexicon,
  Number(values.images),
)
const folders = { model: values.model, companion: join(values.model, 'encoder') }
const models = await AlignmentModels.open(folders, { config, lexicon, device: 'cpu', threads: 1 })
try {
  const rng = new Rng({ seed })
  const policy = newPolicy(models.source, config, rng.fork(1))
  const { responses } = await models.respond(images, policy, { rng: rng.fork(3) })
  const scored = await models.score(responses)
  const mentions = await compareMentions(models, scored, { count: config.calibration.otherImages, seed })
  console.log(JSON.stringify(calibrateFree(mentions, { seed, limits: config.calibration }), null, 2))

  const objects = new Map(images.map((image) => [image.sha256, image.objects]))
  const isRight = scored.flatMap(({ image, scored: { mentions: found } }) =>
    found.map(({ name }) => objects.get(image.sha256)?.has(name) === true),
  )
  const over = (scores: readonly { readonly mention: number; readonly score: number }[]) =>
    auroc(
      scores.filter(({ mention }) => isRight[mention]).map(({ score }) => score),
      scores.filter(({ mention }) => !isRight[mention]).map(({ score }) => score),
    )
  const { own, mention } = centreScores(mentions)
  const centred = Array.from(own, (score, i) => ({ score, mention: mention[i] as number }))
  const raw = mentions.map(({ score }, at) => ({ score, mention: at }))
  const wrong = isRight.filter((is) => !is).length
  console.log(
    `by the annotations: ${wrong} of ${isRight.length} words hallucinated, AUROC ${over(centred)}, of raw scores ${over(raw)}`,
  )
} finally {
  await models.release()
}
