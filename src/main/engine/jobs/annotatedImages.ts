// The images that a COCO file annotates, where they lie. Annotations are read here and in annotated calibration
// (alignRun.ts), nowhere else; after it stands run/judge.ts.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { mapSome } from '../../../shared/mapSome.ts'
import { readCocoAnnotations } from '../eval/cocoAnnotations.ts'
import { sha256Of } from '../folder/hashes.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import type { AnnotatedRunImage } from '../run/judge.ts'
import type { SkippedImage } from '../run/skippedImages.ts'

/** Files that are open at the same time: 6,000 at once are more than a process may have. */
const filesAtOnce = 8

/**
 * The images that a COCO file annotates, of those that lie in the folder; those that lie there and cannot be read come
 * apart.
 * @throws StudioError `run.annotations`
 */
export async function annotatedImages(
  folder: string,
  annotationFile: string,
  lexicon: Lexicon,
  mostImages: number | null,
): Promise<{ images: AnnotatedRunImage[]; skipped: SkippedImage[] }> {
  const annotated = await readCocoAnnotations(annotationFile, lexicon)
  const places = annotated.map(({ fileName, objects }) => ({ path: join(folder, fileName), objects }))
  const isThere = await mapSome(places, filesAtOnce, ({ path }) => exists(path))
  const present = places.filter((_, i) => isThere[i]).slice(0, mostImages ?? undefined)
  const skipped: SkippedImage[] = []
  const images = await mapSome(present, filesAtOnce, async ({ path, objects }, i) => {
    const imageId = i + 1
    try {
      return { imageId, sha256: await sha256Of([path]), path, objects }
    } catch {
      skipped.push({ imageId, path, code: 'image.unreadable' })
      return null
    }
  })
  skipped.sort((a, b) => a.imageId - b.imageId)
  return { images: images.filter((image) => image !== null), skipped }
}

/** Whether a file lies there, whoever may read it. */
async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
  )
}
