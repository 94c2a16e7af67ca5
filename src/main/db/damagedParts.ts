// What is stored as bytes and is not what it was: weights of checkpoints, and thumbnails. Their readers find it too, when
// they come to it; backups and salvage look at all of it at once.
import type { CheckpointId } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import { verifyCheckpoint } from './checkpoints.ts'
import type { ReadableDb } from './connection.ts'
import { thumbnailOf } from './images.ts'
import { schemaVersion } from './migrate.ts'

/** In a few words each; an empty list for a file of a version that hashed nothing yet. */
export function damagedParts(db: ReadableDb): string[] {
  if (schemaVersion(db) < 4) return []
  return [
    ...damagedCheckpoints(db).map((id) => `checkpoint ${id}`),
    ...damagedThumbnails(db).map((id) => `image ${id}`),
  ]
}

/** Checkpoints whose weights are not what was stored. */
export function damagedCheckpoints(db: ReadableDb): CheckpointId[] {
  const ids = db.prepare<[], CheckpointId>('SELECT DISTINCT checkpoint_id FROM checkpoint_part').pluck().all()
  return ids.filter((id) => {
    try {
      verifyCheckpoint(db, id)
      return false
    } catch (thrown) {
      if (thrown instanceof StudioError && thrown.code === 'run.damaged-checkpoint') return true
      throw thrown
    }
  })
}

/** Images whose thumbnail is not what was stored. */
function damagedThumbnails(db: ReadableDb): number[] {
  const ids = db.prepare<[], number>('SELECT image_id FROM image WHERE thumbnail_sha256 IS NOT NULL').pluck().all()
  return ids.filter((id) => thumbnailOf(db, id) === undefined)
}
