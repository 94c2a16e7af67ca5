// COCO's annotation files: which objects are in which image. Annotated calibration and the evaluation read them, and
// nothing else of the program does. Format: https://cocodataset.org/#format-data
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { StudioError } from '../../../shared/errors.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import { chairFinderOptions, findObjects } from '../reward/objectWords.ts'

const id = z.union([z.number(), z.string()])
const imageSchema = z.object({ id, file_name: z.string() })
const instancesSchema = z.object({
  images: z.array(imageSchema),
  annotations: z.array(
    z.object({ image_id: id, category_id: z.number(), bbox: z.array(z.number()).length(4).optional() }),
  ),
  categories: z.array(z.object({ id: z.number(), name: z.string() })),
})
const captionsSchema = z.object({ annotations: z.array(z.object({ image_id: id, caption: z.string() })) })

/** One annotated image. */
export interface AnnotatedImage {
  readonly id: number | string
  readonly fileName: string
  /** Names of the lexicon, in the order in which the annotations first have them. */
  readonly objects: ReadonlySet<string>
}

/**
 * Images with the objects that their annotations have, by the lexicon's names. A category that the lexicon has as a
 * synonym becomes its object ("television" is "tv"); one that it does not have keeps its own name.
 * @param captionsPath reference captions: what they name counts as in the image, as CHAIR has it
 * @throws StudioError `run.annotations` when a file cannot be read or is not of COCO's format
 */
export async function readCocoAnnotations(
  instancesPath: string,
  lexicon: Lexicon,
  captionsPath?: string,
): Promise<AnnotatedImage[]> {
  const { images, annotations, categories } = await readJson(instancesPath, instancesSchema)
  const nameOf = new Map(categories.map((category) => [category.id, objectNameOf(category.name, lexicon)]))
  const objects = new Map<number | string, Set<string>>(images.map((image) => [image.id, new Set()]))
  for (const [i, { image_id, category_id }] of annotations.entries()) {
    const name = nameOf.get(category_id)
    if (name === undefined) {
      throw annotationsError(instancesPath, 'An annotation is of a category that the file does not list.', {
        expected: `one of ${categories.length} categories`,
        found: `annotations.${i}.category_id: ${category_id}`,
      })
    }
    objects.get(image_id)?.add(name)
  }
  if (captionsPath !== undefined) {
    for (const { image_id, caption } of (await readJson(captionsPath, captionsSchema)).annotations) {
      const present = objects.get(image_id)
      if (present) for (const { name } of findObjects(caption, lexicon, chairFinderOptions)) present.add(name)
    }
  }
  return images.map((image) => ({
    id: image.id,
    fileName: image.file_name,
    objects: objects.get(image.id) as ReadonlySet<string>,
  }))
}

/** The lexicon's name for a category, which may be written as a synonym of it. */
function objectNameOf(category: string, lexicon: Lexicon): string {
  if (lexicon.names.has(category)) return category
  const [mention, ...others] = findObjects(category, lexicon, chairFinderOptions)
  const isWhole = mention !== undefined && others.length === 0 && mention.end - mention.start === category.length
  return isWhole ? mention.name : category
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  let parsed: unknown
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'))
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
