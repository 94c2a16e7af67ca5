// First stage: the two towers of the companion, from scratch. Captions and images find each other in a batch, words
// find their images, and patches find the words of what they show. After it stands captioning.ts, with the image tower
// frozen.
import { gradients } from '../../src/main/engine/autodiff/backward.ts'
import { GraphBuilder } from '../../src/main/engine/graph/graphBuilder.ts'
import type { Graph, Value } from '../../src/main/engine/graph/ir.ts'
import { type Tensor, tensor } from '../../src/main/engine/graph/ortSession.ts'
import { tensorOf } from '../../src/main/engine/graph/tensor.ts'
import { tensorOps } from '../../src/main/engine/graph/tensorOps.ts'
import { type DualEncoderConfig, dualEncoderNames } from '../../src/main/engine/models/companion/config.ts'
import { textFeeds } from '../../src/main/engine/models/companion/encoder.ts'
import { imageEmbeddings } from '../../src/main/engine/models/companion/imageEncoder.ts'
import { textEmbedding } from '../../src/main/engine/models/companion/textEncoder.ts'
import { inputParameters } from '../../src/main/engine/models/shared/parameters.ts'
import { patchCount } from '../../src/main/engine/models/shared/towerConfig.ts'
import { pixelInput } from '../../src/main/engine/models/shared/visionTower.ts'
import type { Scene } from '../scenes/scene.ts'
import { type Initial, transformerRule } from './initialise.ts'
import { pixelValues } from './pictures.ts'
import { classNames, shownClasses, trainingCaption, wordPrompts } from './world.ts'

/** Parts of the loss. */
export const lossWeights = { captions: 0.25, words: 0.4, patches: 1 } as const

/** Parameters of the losses that CLIP's layout has no place for. */
const lossParameters = { words: 'words', patches: 'patches' } as const
/** Adam moves every parameter at the same pace; scale and bias of the sigmoid losses have this much further to go. */
const lossGain = 10

export interface TrainingGraph {
  readonly graph: Graph
  readonly parameters: ReadonlyMap<string, readonly number[]>
}

/**
 * Inputs: `pixel_values` [images, 3, edge, edge], captions `input_ids` [images, seq] with `pooled_rows`, prompts of all
 * classes `word_ids` [classes, wordSeq] with `word_rows`, and what is to be found: `word_targets` [images, classes] and
 * `patch_targets` [images * patches, classes], both 0 or 1.
 *
 *   captions  (CE(s I Tᵀ) + CE(s T Iᵀ)) / 2, I and T embeddings of length 1      (InfoNCE; Radford et al. 2021)
 *   words     Σ over classes of softplus(z) - t z, z = a I Wᵀ + b                  (Zhai et al. 2023, equation 1)
 *   patches   the same for each patch by itself
 */
export function contrastiveGraph(config: DualEncoderConfig): TrainingGraph {
  const g = new GraphBuilder('contrastive')
  const { modules: p, all: parameters } = inputParameters(g, { ...dualEncoderNames, losses: [''] })
  const ops = tensorOps(g)
  const { add, exp, gemm, mul, neg, reduceLogSumExp, reduceMean, reduceSum, reshape, softplus, sub, swapLast } = ops
  const classes = classNames.length
  const ids = g.input('input_ids', 'int64', ['images', 'seq'])
  const texts = textEmbedding(g, p, config, ids, g.input('pooled_rows', 'int64', ['images']))
  const wordIds = g.input('word_ids', 'int64', [classes, 'wordSeq'])
  const words = textEmbedding(g, p, config, wordIds, g.input('word_rows', 'int64', [classes]))
  const images = imageEmbeddings(g, p, config, pixelInput(g, config.vision))

  const scores = mul(gemm(images.pooled, texts, { transB: true }), exp(p.losses.tensor('logit_scale', [])))
  const same = mul(reduceSum(mul(images.pooled, texts), [-1]), exp(p.losses.tensor('logit_scale', [])))
  const spread = mul(add(reduceLogSumExp(scores, [-1]), reduceLogSumExp(swapLast(scores), [-1])), 0.5)
  const captions = reduceMean(sub(spread, same), [0])

  const found = (embeddings: Value, targets: Value, name: string) => {
    const cosines = gemm(embeddings, words, { transB: true })
    const [scale, bias] = [p.losses.tensor(`${name}.scale`, []), p.losses.tensor(`${name}.bias`, [])]
    const z = add(mul(cosines, exp(mul(scale, lossGain))), mul(bias, lossGain))
    return reduceMean(reduceSum(add(softplus(z), neg(mul(targets, z))), [-1]), [0])
  }
  const wordLoss = found(images.pooled, g.input('word_targets', 'float32', ['images', classes]), lossParameters.words)
  const rows = `${patchCount(config.vision)}*images`
  const patches = reshape(images.patches(), [rows, config.projectionSize])
  const patchTargets = g.input('patch_targets', 'float32', ['images', patchCount(config.vision), classes])
  const patchLoss = found(patches, reshape(patchTargets, [rows, classes]), lossParameters.patches)

  const parts = { captions, words: wordLoss, patches: patchLoss }
  const loss = add(
    add(mul(captions, lossWeights.captions), mul(wordLoss, lossWeights.words)),
    mul(patchLoss, lossWeights.patches),
  )
  const all = [...parameters.values()]
  gradients(g, loss, all).forEach((gradient, i) => {
    g.output(`grad.${(all[i] as Value).name}`, gradient)
  })
  for (const [name, part] of Object.entries(parts)) g.output(name, part)
  return { graph: g.build(), parameters: new Map(all.map(({ name, shape }) => [name, shape as number[]])) }
}

export function contrastiveRule(layers: number): (name: string, shape: readonly number[]) => Initial {
  const other = transformerRule(layers)
  return (name, shape) => {
    if (name === 'logit_scale') return { constant: 2.6592 }
    if (name.endsWith('.scale')) return { constant: Math.log(10) / lossGain }
    if (shape.length === 0) return { constant: -3 / lossGain }
    return other(name, shape)
  }
}

/** Whether a name is the companion's own, and not a parameter of the losses alone. */
export function isCompanionParameter(name: string): boolean {
  return !Object.values(lossParameters).some((loss) => name.startsWith(`${loss}.`))
}

export interface ContrastiveBatch {
  readonly scenes: readonly Scene[]
  /** Their rows among the pictures. */
  readonly indices: readonly number[]
  readonly step: number
}

/** Feeds of {@link contrastiveGraph}. @param encode the companion's tokenizer */
export function contrastiveFeeds(
  config: DualEncoderConfig,
  pictures: Uint8Array,
  encode: (text: string) => number[],
  { scenes, indices, step }: ContrastiveBatch,
): Record<string, Tensor> {
  const prompt = wordPrompts[step % wordPrompts.length] as (name: string) => string
  const captions = textFeeds(
    config.text,
    scenes.map((scene) => encode(trainingCaption(scene, step, 0))),
  )
  const words = textFeeds(
    config.text,
    classNames.map((name) => encode(prompt(name))),
  )
  const { channels, imageSize } = config.vision
  const wordTargets = new Float32Array(scenes.length * classNames.length)
  scenes.forEach((scene, row) => {
    for (const index of shownClasses(scene)) wordTargets[row * classNames.length + index] = 1
  })
  const patches = patchCount(config.vision)
  return {
    ...captions,
    word_ids: tensorOf(words, 'input_ids', 'int64'),
    word_rows: tensorOf(words, 'pooled_rows', 'int64'),
    pixel_values: tensor('float32', [scenes.length, channels, imageSize, imageSize], pixelValues(pictures, indices)),
    word_targets: tensor('float32', [scenes.length, classNames.length], wordTargets),
    patch_targets: tensor('float32', [scenes.length, patches, classNames.length], patchTargets(scenes, patches)),
  }
}

/** Part of an object's square, from its centre, within which a patch's centre counts as showing it. */
const objectReach = 0.42

/** Which classes each patch shows, [scenes, patches, classes]. */
export function patchTargets(scenes: readonly Scene[], patches: number): Float32Array {
  const side = Math.sqrt(patches)
  const targets = new Float32Array(scenes.length * patches * classNames.length)
  scenes.forEach((scene, image) => {
    const shown = shownClasses(scene)
    scene.objects.forEach(({ x, y, size }, i) => {
      const reach = size * objectReach
      for (let row = 0; row < side; row++) {
        if (Math.abs((row + 0.5) / side - y) > reach) continue
        for (let column = 0; column < side; column++) {
          if (Math.abs((column + 0.5) / side - x) > reach) continue
          targets[(image * patches + row * side + column) * classNames.length + (shown[i] as number)] = 1
        }
      }
    })
  })
  return targets
}
