// Which validation images a report shows, and what was said of them. Bounded however many images a workspace has and
// however long a response is. Part of gatherReport.ts.
import type { CheckpointId, ResponseDetail } from '../../../shared/domain.ts'
import { StudioError } from '../../../shared/errors.ts'
import { wordsOf } from '../../../shared/responseWords.ts'
import { shownText } from '../../../shared/shownText.ts'
import { unjudgedSentence, verdictNames } from '../../../shared/verdict.ts'
import type { ReadableDb } from '../../db/connection.ts'
import { imageFacts, thumbnailOf } from '../../db/images.ts'
import { comparedResponses, shownResponse } from '../../db/rollouts.ts'
import type { ReportSample, WorkspaceRun } from './reportData.ts'
import { spreadOver } from './scenes.ts'
import type { MarkedResponse } from './words.ts'

export const mostSamples = 24
/** Characters of a response that a report shows. */
const longestResponse = 4000

/**
 * @param before the model as it came
 * @param most of the images that it looked at
 */
export function gatherSamples(
  db: ReadableDb,
  before: CheckpointId,
  after: CheckpointId,
  most: number,
): Pick<WorkspaceRun, 'samples' | 'compared'> {
  const pairs = comparedResponses(db, before, after, most)
  const chosen = spreadOver(
    pairs.map(({ isSame }) => isSame),
    mostSamples,
  )
  const damaged: number[] = []
  const samples = chosen.flatMap((at): ReportSample[] => {
    const imageId = pairs[at]?.imageId ?? 0
    try {
      const [first, last] = [shownResponse(db, before, imageId), shownResponse(db, after, imageId)]
      const image = imageFacts(db, imageId)
      if (!first || !last || !image) return []
      const thumbnail = thumbnailOf(db, imageId)
      return [
        {
          name: shownText(image.name),
          image: thumbnail ? `data:image/webp;base64,${thumbnail.toString('base64')}` : '',
          before: marked(first),
          after: before === after ? null : marked(last),
        },
      ]
    } catch (thrown) {
      if (!(thrown instanceof StudioError)) throw thrown
      damaged.push(imageId)
      return []
    }
  })
  const changed = pairs.filter(({ isSame }) => !isSame).length
  return { samples, compared: { images: pairs.length, changed, damaged: damaged.length } }
}

function marked({ text: whole, tokens, spans }: ResponseDetail): MarkedResponse {
  const text = shownText(whole, longestResponse)
  const words = wordsOf({ text, tokens, spans }).map(({ start, end, name, score, verdict }) => ({
    ...{ start, end, name: shownText(name), score, verdict },
    said: verdict === null ? unjudgedSentence : verdictNames[verdict],
  }))
  return { text, words }
}
