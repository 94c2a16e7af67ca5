// The limit that a verifier sets: CHAIR and recall of the responses before alignment, if every object word that scores
// below a threshold were taken out. It can only remove, so it loses recall where it errs; what alignment reaches is held
// against it.
import type { ChairReport } from '../../src/shared/evaluation.ts'

export interface RemovalPoint {
  /** Of the object words, removed. */
  readonly removed: number
  readonly chairI: number
  readonly recall: number
}

/** From no word removed on, at twenty even shares of the words, lowest scores first. */
export function removalLine(responses: ChairReport['responses']): RemovalPoint[] {
  const words = responses.flatMap(({ before, objects }, response) =>
    before.words.map(({ name, score, isHallucinated }) => ({ response, name, score, isHallucinated, objects })),
  )
  // A word that the verifier was not asked about, such as a denied one, is none that it can take out.
  const unscored = words.filter(({ score }) => score === null)
  const falling = words.filter(({ score }) => score !== null).sort((a, b) => (a.score ?? 0) - (b.score ?? 0))
  const annotated = responses.reduce((sum, { objects }) => sum + objects.length, 0)
  return Array.from({ length: 21 }, (_, i) => {
    const removed = Math.round((i / 20) * 0.5 * falling.length)
    const kept = [...falling.slice(removed), ...unscored]
    const right = new Set(
      kept.filter((word) => !word.isHallucinated).map(({ response, name }) => `${response} ${name}`),
    )
    return {
      removed: removed / falling.length,
      chairI: kept.filter(({ isHallucinated }) => isHallucinated).length / kept.length,
      recall: right.size / annotated,
    }
  })
}

/** CHAIR_i on the line at this recall, between its points; null where it never has that recall. */
export function chairAtRecall(line: readonly RemovalPoint[], recall: number): number | null {
  const after = line.findIndex((point) => point.recall < recall)
  const [right, left] = [line[after], line[after - 1]]
  if (!right || !left) return after < 0 ? (line.at(-1)?.chairI ?? null) : null
  const share = (left.recall - recall) / (left.recall - right.recall)
  return left.chairI + share * (right.chairI - left.chairI)
}
