// What deleting removed images for good takes, in sentences. Pure.
import type { Deletion } from '../../../../shared/domain.ts'
import { formatBytes, formatCount, formatPlural } from '../../format.ts'

/** What goes, and what stays; each null when there is nothing to say. */
export function deletionWords({
  images,
  kept,
  responses,
  thumbnailBytes,
}: Deletion): readonly [what: string | null, kept: string | null] {
  const one = images === 1
  const said = responses === 0 ? '' : ` and ${formatPlural(responses, 'response')} to ${one ? 'it' : 'them'}`
  const what = `${formatPlural(images, 'image')} ${one ? 'leaves' : 'leave'} the workspace with ${one ? 'its' : 'their'} tags, ${one ? 'its thumbnail' : 'thumbnails'} of ${formatBytes(thumbnailBytes)}${said}. A backup is taken before; the workspace uses the room for what comes next. Your files stay where they are.`
  const stays = `${formatCount(kept)} ${kept === 1 ? 'stays' : 'stay'} among the removed ones, because a run was made with ${kept === 1 ? 'it' : 'them'}.`
  return [images === 0 ? null : what, kept === 0 ? null : stays]
}
