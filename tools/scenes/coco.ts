// Annotations and captions of scenes in the format of COCO (https://cocodataset.org/#format-data), read by evaluation only.
// scene.ts describes what there is, sprites.ts how far it reaches; makeSamples.ts stores the result.
import { writeCaption } from './captions.ts'
import { classes } from './classes.ts'
import { objectBounds } from './draw.ts'
import { Random } from './random.ts'
import type { Scene, SceneObject } from './scene.ts'
import { outlineOf } from './sprites.ts'

interface CocoHeader {
  readonly info: { readonly description: string; readonly version: string; readonly seed: number }
  readonly licenses: readonly { readonly id: number; readonly name: string; readonly url: string }[]
  readonly images: readonly CocoImage[]
}

interface CocoImage {
  /** The scene's index plus 1. */
  readonly id: number
  readonly file_name: string
  readonly width: number
  readonly height: number
  readonly license: number
}

export interface CocoAnnotation {
  readonly id: number
  readonly image_id: number
  readonly category_id: number
  /** x, y, width and height in whole pixels: the part of the box that lies in the picture. */
  readonly bbox: readonly [number, number, number, number]
  /** Opaque pixels of the object; what another object hides of it is not taken off. */
  readonly area: number
  readonly iscrowd: 0
}

export interface CocoInstances extends CocoHeader {
  readonly annotations: readonly CocoAnnotation[]
  readonly categories: readonly { readonly id: number; readonly name: string; readonly supercategory: string }[]
}

export interface CocoCaptions extends CocoHeader {
  readonly annotations: readonly { readonly id: number; readonly image_id: number; readonly caption: string }[]
}

/** How a set of scenes is stored. */
export interface StoredScenes {
  readonly scenes: readonly Scene[]
  /** Pixels on a side. */
  readonly edge: number
  readonly fileName: (scene: Scene) => string
}

/** The objects of the scenes with their boxes. */
export async function cocoInstances(stored: StoredScenes): Promise<CocoInstances> {
  const placed = stored.scenes.flatMap((scene) => scene.objects.map((object) => ({ scene, object })))
  const annotations = placed.map(async ({ scene, object }, place) => ({
    id: place + 1,
    image_id: scene.index + 1,
    category_id: object.class.categoryId,
    ...(await extent(object, stored.edge)),
    iscrowd: 0 as const,
  }))
  return {
    ...header(stored),
    annotations: await Promise.all(annotations),
    categories: classes.map(({ categoryId, name, supercategory }) => ({ id: categoryId, name, supercategory })),
  }
}

/** One correct caption for each scene. */
export function cocoCaptions(stored: StoredScenes): CocoCaptions {
  const annotations = stored.scenes.map((scene, place) => ({
    id: place + 1,
    image_id: scene.index + 1,
    caption: writeCaption(scene, new Random(scene.seed, 'caption', scene.index)).text,
  }))
  return { ...header(stored), annotations }
}

function header({ scenes, edge, fileName }: StoredScenes): CocoHeader {
  const size = { width: edge, height: edge, license: 1 }
  return {
    info: { description: 'FiSAO Studio sample scenes', version: '1', seed: scenes[0]?.seed ?? 0 },
    licenses: [
      {
        id: 1,
        name: 'Apache-2.0; drawn from art under MIT and Apache-2.0',
        url: 'https://www.apache.org/licenses/LICENSE-2.0',
      },
    ],
    images: scenes.map((scene) => ({ id: scene.index + 1, file_name: fileName(scene), ...size })),
  }
}

async function extent(object: SceneObject, edge: number): Promise<Pick<CocoAnnotation, 'bbox' | 'area'>> {
  const outline = await outlineOf(object.class, object.artSet)
  const bounds = objectBounds(object, outline, edge)
  const inside = (value: number): number => Math.round(Math.max(0, Math.min(edge, value)))
  const [left, top] = [inside(bounds.left), inside(bounds.top)]
  const [width, height] = [inside(bounds.right) - left, inside(bounds.bottom) - top]
  return { bbox: [left, top, width, height], area: Math.round(outline.opaqueShare * (object.size * edge) ** 2) }
}
