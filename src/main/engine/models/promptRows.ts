// What the vision graph says of an image's tiles, as the rows of its prompt. Before it stands the vision graph, after it the
// feeds of the prompt graph and of training.
import { StudioError } from '../../../shared/errors.ts'
import type { Tensor } from '../graph/ortSession.ts'
import { floatsOf } from '../graph/tensor.ts'
import type { Size } from '../image/resample.ts'
import type { ImageLayout } from './architecture.ts'
import type { VlmSource } from './vlmGraphs.ts'

/** The results of `visionGraph` for some tiles. */
export type SeenTiles = Readonly<Record<string, Tensor>>

/**
 * @param features projected ones of the image's tiles, one after the other, [rows, hidden]
 * @param tiles how many the image processor made
 * @param seen results of `visionGraph`, of these tiles or others
 * @throws StudioError `model.image-layout` when the image processor cuts images in another way than the model reads them
 */
export function promptRows(
  { architecture, config }: VlmSource,
  { size, tiles, features }: { readonly size: Size; readonly tiles: number; readonly features: Float32Array },
  seen: SeenTiles,
): { layout: ImageLayout; features: Float32Array } {
  const { hiddenSize } = config.decoder
  const layout = architecture.imageLayout(config, size)
  const { arrangement } = architecture
  if (tiles !== layout.tiles) throw otherLayout(layout, tiles, features.length / hiddenSize)
  const rows = arrangement ? arrangement.arrange(config, size, features, floatsOf(seen, 'line_end')) : features
  if (rows.length !== layout.rows * hiddenSize) throw otherLayout(layout, tiles, rows.length / hiddenSize)
  return { layout, features: rows }
}

function otherLayout({ tiles, rows }: ImageLayout, foundTiles: number, foundRows: number): StudioError {
  return new StudioError({
    code: 'model.image-layout',
    message: 'The image processor of this model cuts images in another way than its config.json says.',
    remedy: 'Copy the model again: its files are not of the same model.',
    expected: `${tiles} tiles and ${rows} rows`,
    found: `${foundTiles} tiles and ${foundRows} rows`,
  })
}
