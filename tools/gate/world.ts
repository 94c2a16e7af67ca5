// A made-up verifier in a made-up world: scenes with objects, responses that name some and hallucinate others, and a score
// for any word on any image, so that own and other scores agree with each other. simulate.ts asks the gate about it.
import type { Rng } from '../../src/main/engine/rng.ts'
import { drawScore, gapFor, type ScoreShape, type ShapeName, scoreShapes } from './scoreShapes.ts'

/** What a verifier knows. All but `image` have an AUROC of about 0.5 once words are freed of their levels. */
export const knowledgeKinds = ['image', 'nothing', 'words only', 'scene only'] as const
export type KnowledgeKind = (typeof knowledgeKinds)[number]

export interface WorldOptions {
  readonly shape: ShapeName
  readonly kind: KnowledgeKind
  /** Wanted of a word that is there over the same word where it is not. */
  readonly auroc: number
  /** Share of mentions that are hallucinated. */
  readonly hallucinated: number
  readonly scores: number
}

interface Scene {
  readonly place: number
  readonly objects: ReadonlySet<number>
  readonly level: number
  readonly noise: Map<number, number>
}

export interface Mention {
  readonly scene: number
  readonly word: number
  readonly isRight: boolean
}

export interface Response {
  readonly scene: number
  readonly mentions: readonly Mention[]
}

export class World {
  readonly scenes: Scene[] = []
  readonly #options: WorldOptions
  readonly #shape: ScoreShape
  readonly #rng: Rng
  readonly #places: readonly (readonly number[])[]
  readonly #exponent: number
  readonly #recall: number
  readonly #levels: Float64Array
  /** How readily a word is hallucinated. */
  readonly #proneness: Float64Array
  readonly #imageLevel: number
  readonly #sceneBonus: number
  readonly #gap: number
  readonly #words: number

  constructor(options: WorldOptions, rng: Rng) {
    const { kind, shape, auroc } = options
    this.#options = options
    this.#shape = scoreShapes[shape]
    this.#rng = rng
    const between = (low: number, high: number) => low + (high - low) * rng.uniform()
    this.#words = 30 + rng.below(60)
    const placeCount = 3 + rng.below(8)
    const order = Array.from({ length: this.#words }, (_, word) => word)
    this.#places = Array.from({ length: placeCount }, () => {
      rng.shuffle(order)
      return order.slice(0, 7 + rng.below(8))
    })
    this.#exponent = between(0.4, 1.2)
    this.#recall = between(0.55, 0.95)
    const isWordsOnly = kind === 'words only'
    this.#proneness = Float64Array.from({ length: this.#words }, () =>
      Math.exp((isWordsOnly ? 1.5 : 0.5) * rng.normal()),
    )
    const levelSpread = between(...this.#shape.levels)
    this.#levels = Float64Array.from({ length: this.#words }, (_, word) =>
      isWordsOnly ? -1.5 * Math.log(this.#proneness[word] as number) : levelSpread * rng.normal(),
    )
    this.#imageLevel = between(...this.#shape.imageLevels)
    this.#sceneBonus = kind === 'scene only' ? between(1, 3) : kind === 'nothing' || isWordsOnly ? 0 : between(0, 0.7)
    this.#gap = kind === 'image' ? gapFor(shape, auroc, this.#imageLevel, rng.fork(7)) : 0
  }

  /** Responses with so many mentions in all; some scenes are described twice. @param hallucinated share of mentions */
  respond(scores: number, hallucinated = this.#options.hallucinated): Response[] {
    const responses: Response[] = []
    let named = 0
    while (named < scores) {
      const isSecond = responses.length > 0 && this.#rng.uniform() < 0.15
      const scene = isSecond ? this.scenes.length - 1 : this.#newScene()
      const mentions = this.#mentions(scene, hallucinated).slice(0, scores - named)
      responses.push({ scene, mentions })
      named += mentions.length
    }
    return responses
  }

  /** The verifier's score of a word on a scene, and the part of it that the word's own level is no part of. */
  score(scene: number, word: number, isHallucinated = false): { readonly raw: number; readonly free: number } {
    const { objects, place, level, noise } = this.scenes[scene] as Scene
    const isPresent = objects.has(word)
    let own = noise.get(word)
    if (own === undefined) {
      own = drawScore(this.#options.shape, isPresent, this.#gap, this.#rng)
      noise.set(word, own)
    }
    const bonus = this.#places[place]?.includes(word) ? this.#sceneBonus : 0
    const confusion = isHallucinated ? (this.#shape.confusion ?? 0) * this.#gap : 0
    const free = own + level + bonus + confusion
    return { raw: free + (this.#levels[word] as number), free }
  }

  #newScene(): number {
    const place = this.#rng.below(this.#places.length)
    const objects = new Set<number>()
    const wanted = 2 + this.#rng.below(4)
    for (let i = 0; i < 3 * wanted && objects.size < wanted; i++)
      objects.add(this.#rng.uniform() < 0.08 ? this.#rng.below(this.#words) : this.#typical(place))
    const level = this.#imageLevel * this.#rng.normal()
    return this.scenes.push({ place, objects, level, noise: new Map() }) - 1
  }

  /** A word of the place, by 1 / rank^exponent. */
  #typical(place: number): number {
    const words = this.#places[place] as readonly number[]
    return words[this.#drawn(words.map((_, rank) => (rank + 1) ** -this.#exponent))] as number
  }

  #mentions(scene: number, hallucinated: number): Mention[] {
    const { objects, place } = this.scenes[scene] as Scene
    const mentions: Mention[] = []
    const said = new Set<number>()
    for (const word of objects) {
      if (this.#rng.uniform() < this.#recall) mentions.push({ scene, word, isRight: true })
      // As many hallucinated words as make the share; they come with named objects, so the expectation holds.
      if (this.#rng.uniform() >= (this.#recall * hallucinated) / (1 - hallucinated)) continue
      const words = (this.#places[place] as readonly number[]).filter((one) => !objects.has(one) && !said.has(one))
      if (words.length === 0) continue
      const weights = words.map(
        (one) =>
          (this.#proneness[one] as number) * ((this.#places[place] as number[]).indexOf(one) + 1) ** -this.#exponent,
      )
      const wrong = words[this.#drawn(weights)] as number
      said.add(wrong)
      mentions.push({ scene, word: wrong, isRight: false })
    }
    return mentions
  }

  #drawn(weights: readonly number[]): number {
    let left = this.#rng.uniform() * weights.reduce((sum, weight) => sum + weight, 0)
    const at = weights.findIndex((weight) => {
      left -= weight
      return left < 0
    })
    return at < 0 ? weights.length - 1 : at
  }
}
