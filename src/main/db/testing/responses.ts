// Responses with tokens and spans that follow from their place, so that what is read back can be checked.
import type { CheckpointId, RunId, SpanRecord, TokenRecord } from '../../../shared/domain.ts'
import type { WritableDb } from '../connection.ts'
import { type NewRollout, storeRollouts } from '../rollouts.ts'

const objects =
  'cat dog car zebra horse kite cup boat bus truck sheep cow bird bear ball clock book plant couch chair knife spoon bowl cake'.split(
    ' ',
  )

/** A response of `length` tokens to an image; every eighth token names an object. */
export function responseTo(imageId: number, length: number, place: Partial<NewRollout> & { runId: RunId }): NewRollout {
  const words = Array.from({ length }, (_, position) =>
    position % 8 === 7 ? (objects[(imageId * 5 + (position >> 3) * 7) % objects.length] as string) : 'with',
  )
  let textStart = 0
  const tokens = words.map((word, position): TokenRecord => {
    const token = {
      tokenId: 1000 + ((imageId + position) % 30_000),
      textStart,
      textEnd: textStart + word.length,
      logProb: -((imageId * 31 + position * 17) % 997) / 250 - 1e-9,
      referenceLogProb: -((imageId * 37 + position * 13) % 991) / 250 - 1e-9,
      reward: position % 8 === 7 ? 0.1 : 0,
    }
    textStart += word.length + 1
    return token
  })
  const spans = words.flatMap((word, position): SpanRecord[] => {
    if (position % 8 !== 7) return []
    const score = ((imageId * 7919 + position * 104_729) % 2000) / 1000 - 1
    const label = score < -0.9 ? 'hallucinated' : score > 0.5 ? 'grounded' : 'neutral'
    return [{ startPosition: position, endPosition: position + 1, word, score, reward: score / 2, label }]
  })
  return {
    checkpointId: null,
    imageId,
    purpose: 'evaluation',
    step: 0,
    prompt: 'Describe the image.',
    text: words.join(' '),
    tokens,
    spans,
    ...place,
  }
}

/** Stores the response of a checkpoint to images 1 to `images`, 64 a transaction as the engine does. */
export function seedResponses(
  db: WritableDb,
  runId: RunId,
  checkpointId: CheckpointId,
  { images, length }: { images: number; length: number },
): void {
  for (let first = 1; first <= images; first += 64) {
    const batch = Array.from({ length: Math.min(64, images - first + 1) }, (_, i) =>
      responseTo(first + i, length, { runId, checkpointId }),
    )
    storeRollouts(db, batch, 1)
  }
}
