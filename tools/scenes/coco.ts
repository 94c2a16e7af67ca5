// COCO-format annotations of scenes (https://cocodataset.org/#format-data), read by evaluation and by nothing else.
import type { Scene, SceneObject } from './scene.ts'
import { categoryId, classes } from './world.ts'

export interface CocoAnnotations {
  readonly info: { readonly description: string; readonly version: string; readonly seed: number }
  readonly licenses: readonly { readonly id: number; readonly name: string }[]
  readonly images: readonly { id: number; file_name: string; width: number; height: number; license: number }[]
  readonly annotations: readonly {
    id: number
    image_id: number
    category_id: number
    /** x, y, width, height in pixels. */
    bbox: [number, number, number, number]
    area: number
    iscrowd: 0
  }[]
  readonly categories: readonly { id: number; name: string; supercategory: string }[]
}

/** Annotations of scenes that are stored as `fileName(scene)` with `edge` x `edge` pixels. */
export function cocoAnnotations(
  scenes: readonly Scene[],
  edge: number,
  fileName: (scene: Scene) => string,
): CocoAnnotations {
  const annotations = scenes.flatMap((scene) => scene.objects.map((object) => ({ scene, object })))
  return {
    info: { description: 'FiSAO Studio sample scenes', version: '1', seed: scenes[0]?.seed ?? 0 },
    licenses: [{ id: 1, name: 'Drawn from art under MIT and Apache-2.0; see NOTICE' }],
    images: scenes.map((scene) => ({
      id: scene.index + 1,
      file_name: fileName(scene),
      width: edge,
      height: edge,
      license: 1,
    })),
    annotations: annotations.map(({ scene, object }, place) => {
      const bbox = boundingBox(object, edge)
      return {
        id: place + 1,
        image_id: scene.index + 1,
        category_id: categoryId(object.name),
        bbox,
        area: bbox[2] * bbox[3],
        iscrowd: 0,
      }
    }),
    categories: classes.map(({ name, supercategory }) => ({ id: categoryId(name), name, supercategory })),
  }
}

/** The box round the turned square of an object, in whole pixels within the picture. */
function boundingBox({ x, y, size, rotationDegrees }: SceneObject, edge: number): [number, number, number, number] {
  const angle = (Math.abs(rotationDegrees) * Math.PI) / 180
  const half = (size / 2) * (Math.cos(angle) + Math.sin(angle))
  const inside = (value: number): number => Math.round(Math.max(0, Math.min(1, value)) * edge)
  const [left, top, right, bottom] = [inside(x - half), inside(y - half), inside(x + half), inside(y + half)]
  return [left, top, right - left, bottom - top]
}
