// The images that a COCO file annotates, where they lie, and what of both found no partner. Annotations are read here, for
// evaluations and for annotated calibration, and nowhere else; after it stand run/judge.ts and run/rewards.ts.
import { extname, join } from 'node:path'
import { type AnnotationJoin, namedCount } from '../../../shared/annotationJoin.ts'
import { StudioError } from '../../../shared/errors.ts'
import { mapSome } from '../../../shared/mapSome.ts'
import { type CocoAnnotations, readCocoAnnotations } from '../eval/cocoAnnotations.ts'
import { type ImageMatch, matchImages, segmentsOf } from '../eval/imageNames.ts'
import { sha256Of } from '../folder/hashes.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import type { AnnotatedRunImage } from '../run/judge.ts'
import type { RunImage } from '../run/models.ts'
import type { Annotations } from '../run/rewards.ts'
import type { SkippedImage } from '../run/skippedImages.ts'
import { exists, filesWithin } from './filesWithin.ts'

/** Files that are open at the same time: 6,000 at once are more than a process may have. */
const filesAtOnce = 8

const imageExtensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.bmp', '.gif', '.tif', '.tiff', '.avif'])

export interface FoundImages {
  readonly images: AnnotatedRunImage[]
  /** Those that lie there and cannot be read. */
  readonly skipped: SkippedImage[]
  /** Objects that the annotations can judge. */
  readonly judged: ReadonlySet<string>
  readonly join: AnnotationJoin
}

/** Annotated images where they lie, not read yet. */
export interface FoundFiles extends Pick<FoundImages, 'judged' | 'join'> {
  readonly images: readonly (Pick<CocoAnnotations['images'][number], 'fileName' | 'objects'> & {
    readonly path: string
  })[]
}

/**
 * The images that a COCO file annotates, of those that lie in the folder or in folders within it.
 * @throws StudioError `run.annotations`, also when none of the images is there or no category is an object of the lexicon
 */
export async function annotatedFiles(
  folder: string,
  annotationFile: string,
  lexicon: Lexicon,
  mostImages: number | null,
): Promise<FoundFiles> {
  const annotations = await readCocoAnnotations(annotationFile, lexicon)
  requireKnownCategory(annotations, annotationFile, lexicon)
  const { paths, matches, unlisted } = await findFiles(
    folder,
    annotations.images.map(({ fileName }) => fileName),
  )
  const join = joinOf(annotations, matches, unlisted, lexicon)
  if (join.found === 0) throw noImage(annotationFile, folder, join)
  const images = annotations.images
    .flatMap(({ fileName, objects }, i) => {
      const path = paths[i] ?? null
      return path === null ? [] : [{ path, fileName, objects }]
    })
    .slice(0, mostImages ?? undefined)
  return { images, judged: annotations.judged, join }
}

/** The same with the hash of each image, by which it is known. @throws StudioError as {@link annotatedFiles} */
export async function annotatedImages(
  folder: string,
  annotationFile: string,
  lexicon: Lexicon,
  mostImages: number | null,
): Promise<FoundImages> {
  const { images: present, judged, join } = await annotatedFiles(folder, annotationFile, lexicon, mostImages)
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
  return { images: images.filter((image) => image !== null), skipped, judged, join }
}

/**
 * What a COCO file says of a run's images, which may lie anywhere.
 * @param nouns whether other nouns than the lexicon's are judged too
 * @throws StudioError `run.annotations`, also when none of the images or no object of the lexicon is annotated
 */
export async function calibrationAnnotations(
  images: readonly RunImage[],
  annotationFile: string,
  lexicon: Lexicon,
  { nouns }: { nouns: boolean },
): Promise<Annotations> {
  const annotations = await readCocoAnnotations(annotationFile, lexicon)
  if (!nouns) requireKnownCategory(annotations, annotationFile, lexicon)
  const matches = matchImages(
    annotations.images.map(({ fileName }) => fileName),
    images.map(({ path }) => path),
  )
  const objects = new Map<string, ReadonlySet<string>>()
  const found = new Set<number>()
  for (const [i, match] of matches.entries()) {
    if (typeof match === 'string') continue
    found.add(match.file)
    objects.set(images[match.file]?.sha256 as string, annotations.images[i]?.objects as ReadonlySet<string>)
  }
  const unlisted = images.filter((_, i) => !found.has(i)).map(({ path }) => path)
  const join = joinOf(annotations, matches, unlisted, lexicon)
  if (join.found === 0) throw noImage(annotationFile, 'the images of this run', join)
  return { objectsOf: (sha256) => objects.get(sha256) ?? null, judged: annotations.judged, join }
}

/** Where each listed image lies, null for one that is not there or not clear. */
export async function pathsOf(folder: string, listed: readonly string[]): Promise<(string | null)[]> {
  return (await findFiles(folder, listed)).paths
}

/** Where each listed image lies: at the very place that its name says, else where its name is found. */
async function findFiles(
  folder: string,
  listed: readonly string[],
): Promise<{ paths: (string | null)[]; matches: ImageMatch[]; unlisted: string[] }> {
  const said = listed.map((name) => segmentsOf(name).join('/'))
  const isThere = await mapSome(said, filesAtOnce, (name) => exists(join(folder, name)))
  const byPlace = new Set(said.filter((_, i) => isThere[i]))
  const others = (await filesWithin(folder)).filter((file) => !byPlace.has(file))
  const files = [...byPlace, ...others]
  const matches = matchImages(listed, files)
  // A disk that does not tell cases or accents apart has one file under both names.
  const spelling = (file: string) => file.normalize('NFC').toLowerCase()
  const found = new Set(
    matches.flatMap((match) => (typeof match === 'string' ? [] : [spelling(files[match.file] as string)])),
  )
  return {
    paths: matches.map((match) => (typeof match === 'string' ? null : join(folder, files[match.file] as string))),
    matches,
    unlisted: others.filter((file) => !found.has(spelling(file)) && imageExtensions.has(extname(file).toLowerCase())),
  }
}

function joinOf(
  { images, judged, unknownCategories, strayAnnotations }: CocoAnnotations,
  matches: readonly ImageMatch[],
  unlisted: readonly string[],
  lexicon: Lexicon,
): AnnotationJoin {
  const listed = (isOf: (match: ImageMatch) => boolean) =>
    images.filter((_, i) => isOf(matches[i] as ImageMatch)).map(({ fileName }) => fileName)
  return {
    listed: images.length,
    found: matches.filter((match) => typeof match !== 'string').length,
    missing: namedCount(listed((match) => match === 'missing')),
    ambiguous: namedCount(listed((match) => match === 'ambiguous')),
    otherFolder: namedCount(listed((match) => typeof match !== 'string' && match.isElsewhere)),
    unlisted: namedCount(unlisted),
    strayAnnotations,
    unknownCategories: namedCount(unknownCategories),
    unjudgedObjects: namedCount([...lexicon.names].filter((name) => !judged.has(name))),
  }
}

function requireKnownCategory({ judged }: CocoAnnotations, where: string, lexicon: Lexicon): void {
  if ([...judged].some((name) => lexicon.names.has(name))) return
  throw new StudioError({
    code: 'run.annotations',
    message: 'No category of the annotations is an object of the lexicon, so they can judge no word.',
    remedy: 'Choose annotations of such objects, or rename their categories as the lexicon has them.',
    expected: [...lexicon.names].slice(0, 3).join(', '),
    found: [...judged].slice(0, 3).join(', ') || 'no category',
    where,
  })
}

function noImage(where: string, place: string, { listed, missing, ambiguous, unlisted }: AnnotationJoin): StudioError {
  return new StudioError({
    code: 'run.annotations',
    message:
      ambiguous.count > 0
        ? `None of the ${listed} annotated images can be told from others of the same name.`
        : `None of the ${listed} annotated images is among the images.`,
    remedy: 'Choose the file that annotates these images, or the folder that the names in the file begin from.',
    expected: [...ambiguous.first, ...missing.first][0] ?? 'an annotated image',
    found: unlisted.first[0] ?? `no image in ${place}`,
    where,
  })
}
