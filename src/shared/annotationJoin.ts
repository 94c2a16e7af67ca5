// What of a file of annotations found its partner and what did not, and the sentences that tell a person. Made where
// annotations meet images and object words (engine/jobs), kept with a run's calibration and in an evaluation's result.
import { z } from 'zod'

const count = z.number().int().nonnegative()

/** How many there are, and the names of the first few. */
export const namedCountSchema = z.object({ count, first: z.array(z.string()) })
export type NamedCount = z.infer<typeof namedCountSchema>

/** Names that a sentence gives as examples. */
const mostNamed = 3

export function namedCount(names: readonly string[]): NamedCount {
  return { count: names.length, first: names.slice(0, mostNamed) }
}

export const annotationJoinSchema = z.object({
  /** Images that the file lists, and those of them whose picture was found. */
  listed: count,
  found: count,
  /** Listed images of which no picture was found. */
  missing: namedCountSchema,
  /** Listed images that several pictures could be, or that share one picture: they take no part. */
  ambiguous: namedCountSchema,
  /** Found by their file names although they lie in other folders than the file says. */
  otherFolder: namedCountSchema,
  /** Pictures that the file does not list. */
  unlisted: namedCountSchema,
  /** Annotations of images that the file does not list. */
  strayAnnotations: count,
  /** Categories of the file that the lexicon does not have as objects. */
  unknownCategories: namedCountSchema,
  /** Objects of the lexicon that the file has no category of. */
  unjudgedObjects: namedCountSchema,
})
export type AnnotationJoin = z.infer<typeof annotationJoinSchema>

/**
 * What did not fit, one sentence each with what to do about it; empty when all fits.
 * @param purpose a calibration needs annotations of its own images, and not images for all annotations
 */
export function joinFindings(join: AnnotationJoin, purpose: 'evaluation' | 'calibration'): string[] {
  const { listed, missing, ambiguous, otherFolder, unlisted, strayAnnotations } = join
  const { unknownCategories, unjudgedObjects } = join
  const findings: (string | false)[] = [
    purpose === 'evaluation' &&
      missing.count > 0 &&
      `${share(missing, listed, 'annotated image')} not there and ${takes(missing)} no part. If they should, choose the folder that their names begin from.`,
    ambiguous.count > 0 &&
      `${share(ambiguous, listed, 'annotated image')} not clear and ${takes(ambiguous)} no part: files of one name lie in several folders. Name them with their folders in the file of annotations.`,
    otherFolder.count > 0 &&
      `${share(otherFolder, listed, 'annotated image')} found by file name alone, in another folder than the annotations say. Check that they are the same pictures.`,
    unlisted.count > 0 &&
      `${some(unlisted, 'image')} ${has(unlisted)} no annotations and ${takes(unlisted)} no part. If they should, choose the file that annotates them.`,
    strayAnnotations > 0 &&
      `${plural(strayAnnotations, 'annotation')} of images that the file does not list ${strayAnnotations === 1 ? 'was' : 'were'} left out. Check the ids of the file.`,
    unknownCategories.count > 0 &&
      `${some(unknownCategories, 'category', 'categories')} of the annotations ${unknownCategories.count === 1 ? 'is' : 'are'} not in the lexicon, so nothing is counted of ${them(unknownCategories)}. Rename ${them(unknownCategories)} as the lexicon spells objects.`,
    unjudgedObjects.count > 0 &&
      `${some(unjudgedObjects, 'object')} of the lexicon ${has(unjudgedObjects)} no category in the annotations, so words for ${unjudgedObjects.count === 1 ? 'it are' : 'them are'} not judged. Choose annotations of all objects to judge them too.`,
  ]
  return findings.filter((finding) => finding !== false)
}

const whole = (value: number): string => value.toLocaleString('en')
const plural = (value: number, one: string, many = `${one}s`): string => `${whole(value)} ${value === 1 ? one : many}`
const has = ({ count: number }: NamedCount): string => (number === 1 ? 'has' : 'have')
const them = ({ count: number }: NamedCount): string => (number === 1 ? 'it' : 'them')
const takes = ({ count: number }: NamedCount): string => (number === 1 ? 'takes' : 'take')

function some(named: NamedCount, one: string, many?: string): string {
  return `${plural(named.count, one, many)}${examples(named)}`
}

function share(named: NamedCount, all: number, one: string): string {
  return `${whole(named.count)} of ${plural(all, one)}${examples(named)} ${named.count === 1 ? 'is' : 'are'}`
}

function examples({ count: number, first }: NamedCount): string {
  if (first.length === 0) return ''
  const quoted = first.map((name) => `“${name}”`).join(', ')
  return number > first.length ? ` (such as ${quoted})` : ` (${quoted})`
}
