// COCO's annotation files: which objects are in which image. Annotated calibration and the evaluation read them, and
// nothing else of the program does. Format: https://cocodataset.org/#format-data
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { StudioError } from '../../../shared/errors.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import { chairFinderOptions, findObjects } from '../reward/objectWords.ts'
import { wordsOf } from '../reward/wordForms.ts'
import { categoryReader } from './categoryNames.ts'

/** Files write ids as numbers or as strings, and not always both ends of a join alike. */
const id = z.union([z.number(), z.string()]).transform(String)
const imageSchema = z.object({ id, file_name: z.string() })
const instancesSchema = z.object({
  images: z.array(imageSchema),
  annotations: z.array(z.object({ image_id: id, category_id: id, bbox: z.array(z.number()).length(4).optional() })),
  categories: z.array(z.object({ id, name: z.string() })),
})
const captionsSchema = z.object({ annotations: z.array(z.object({ image_id: id, caption: z.string() })) })

/** One annotated image. */
export interface AnnotatedImage {
  readonly id: string
  readonly fileName: string
  /** Names of the lexicon, in the order in which the annotations first have them. */
  readonly objects: ReadonlySet<string>
}

/** What a file of annotations says, and of what it can say nothing. */
export interface CocoAnnotations {
  readonly images: readonly AnnotatedImage[]
  /** The categories by the names that `objects` has: of any other object the file cannot tell whether it is there. */
  readonly judged: ReadonlySet<string>
  /** Categories that the lexicon does not have, as the file writes them. */
  readonly unknownCategories: readonly string[]
  /** Annotations of images that the file does not list. */
  readonly strayAnnotations: number
}

/**
 * Images with the objects that their annotations have, by the lexicon's names. A category that the lexicon has in another
 * spelling or as a synonym becomes its object ("television" is "tv"); one that it does not have keeps its own name, in
 * lower case.
 * @param captionsPath reference captions: what they name counts as in the image, as CHAIR has it
 * @throws StudioError `run.annotations` when a file cannot be read, is not of COCO's format, or its parts do not belong
 *   together: two images of one id, an unlisted category, no annotation of a listed image
 */
export async function readCocoAnnotations(
  instancesPath: string,
  lexicon: Lexicon,
  captionsPath?: string,
): Promise<CocoAnnotations> {
  const { images, annotations, categories } = await readJson(instancesPath, instancesSchema)
  const objectOf = categoryReader(lexicon)
  const nameOf = new Map(categories.map(({ id, name }) => [id, objectOf(name) ?? ownName(name)]))
  const fileNames = new Map<string, string>()
  for (const { id, file_name } of images) {
    const known = fileNames.get(id)
    if (known !== undefined && known !== file_name) throw sameId(instancesPath, id, [known, file_name])
    fileNames.set(id, file_name)
  }
  const objects = new Map<string, Set<string>>([...fileNames.keys()].map((id) => [id, new Set()]))
  let strayAnnotations = 0
  for (const [i, { image_id, category_id }] of annotations.entries()) {
    const name = nameOf.get(category_id)
    if (name === undefined) {
      throw annotationsError(instancesPath, 'An annotation is of a category that the file does not list.', {
        expected: `one of ${categories.length} categories`,
        found: `annotations.${i}.category_id: ${category_id}`,
      })
    }
    const present = objects.get(image_id)
    if (present) present.add(name)
    else strayAnnotations++
  }
  if (strayAnnotations > 0 && strayAnnotations === annotations.length) {
    throw annotationsError(instancesPath, 'No annotation of the file is of an image that it lists.', {
      expected: `image_id such as ${images[0]?.id ?? 'those of its images'}`,
      found: `${annotations[0]?.image_id}`,
    })
  }
  if (captionsPath !== undefined) {
    for (const { image_id, caption } of (await readJson(captionsPath, captionsSchema)).annotations) {
      const present = objects.get(image_id)
      if (present) for (const { name } of findObjects(caption, lexicon, chairFinderOptions)) present.add(name)
    }
  }
  return {
    images: [...fileNames].map(([id, fileName]) => ({ id, fileName, objects: objects.get(id) as ReadonlySet<string> })),
    judged: new Set(nameOf.values()),
    unknownCategories: categories.filter(({ name }) => objectOf(name) === null).map(({ name }) => name),
    strayAnnotations,
  }
}

/** A category that is no object of the lexicon, as a noun of a response would be spelt. */
function ownName(category: string): string {
  return wordsOf(category)
    .map(({ lower }) => lower)
    .join(' ')
}

function sameId(where: string, id: string, [one, other]: readonly [string, string]): StudioError {
  return annotationsError(
    where,
    'Two images of the file have the same id, so it is not clear whose annotations are whose.',
    {
      expected: 'an id for each image',
      found: `id ${id} of ${one} and ${other}`,
    },
  )
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  let parsed: unknown
  try {
    // Some editors begin a file with a mark of its byte order.
    parsed = JSON.parse((await readFile(path, 'utf8')).replace(/^\uFEFF/, ''))
  } catch (cause) {
    throw annotationsError(path, 'The file of annotations cannot be read.', { expected: 'a JSON file' }, cause)
  }
  const result = schema.safeParse(parsed)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw annotationsError(path, 'The file of annotations is not in the format of COCO.', {
    expected: 'images, annotations and categories as COCO has them',
    found: `${issue?.path.join('.')}: ${issue?.message}`,
  })
}

function annotationsError(
  where: string,
  message: string,
  facts: { expected: string; found?: string },
  cause?: unknown,
): StudioError {
  const remedy = 'Choose an instances file of COCO, and for captions a captions file.'
  return new StudioError({ code: 'run.annotations', message, remedy, where, ...facts }, { cause })
}
