// Images that cannot be read at their turn: a run leaves them out and says so, and ends when too many fail at once,
// since then a drive is gone and not a picture. Before it stands models.ts, after it whoever tells a person.
import { StudioError } from '../../../shared/errors.ts'

/** An image that was left out, and why. */
export interface SkippedImage {
  readonly imageId: number
  readonly path: string
  /** `image.missing`, `image.changed` and the like. */
  readonly code: string
}

/** So many may fail by themselves, however few were asked for. */
const mostSingleFailures = 3

/**
 * Ends work that lost most of its images. A step of a few images, all of which are damaged, goes on without them.
 * @param asked different images that were asked for
 * @param needsOne whether the work means nothing without any image
 * @throws StudioError `run.images-missing`
 */
export function requireMostImages(asked: number, skipped: readonly SkippedImage[], needsOne: boolean): void {
  const isMost = skipped.length > Math.max(mostSingleFailures, asked / 2)
  const isAll = skipped.length === asked
  const [first] = skipped
  if (!first || !(isMost || (needsOne && isAll))) return
  throw new StudioError({
    code: 'run.images-missing',
    message: `${skipped.length} of ${asked} images that this step needs cannot be read, so the run has stopped.`,
    remedy:
      'Connect the drive or share that they are on, or put them back where they were, then resume; nothing is lost.',
    expected: 'most images readable',
    found: first.code.replace('image.', ''),
    where: first.path,
  })
}
