// One image of the grid, with what the chosen checkpoint's response came to. Events are the grid's: a tile is drawn again
// only when what it shows changes.
import { memo, type ReactNode } from 'react'
import { imageUrl } from '../../../../shared/contract.ts'
import type { ImageRow } from '../../../../shared/domain.ts'
import { formatCount, formatFigure, formatPlural } from '../../format.ts'
import css from './ImageGrid.module.css'

interface TileProps {
  readonly index: number
  readonly image: ImageRow | undefined
  readonly isActive: boolean
  readonly isChosen: boolean
  readonly workspaceKey: string
}

export const Tile = memo(TileView)

function TileView({ index, image, isActive, isChosen, workspaceKey }: TileProps): ReactNode {
  return (
    <div
      className={css.tile}
      role="gridcell"
      data-index={index}
      tabIndex={isActive ? 0 : -1}
      aria-selected={isChosen}
      aria-label={image ? wordsOf(image) : 'loading'}
    >
      <div className={css.tilePicture}>
        {image && (
          <img src={imageUrl.thumbnail(workspaceKey, image.imageId)} alt="" decoding="async" draggable={false} />
        )}
        {image && <Marks image={image} />}
      </div>
      <div className={css.tileFoot}>
        <span className={css.tileName} data-part="name">
          {image?.name}
        </span>
        {image && image.tags.length > 0 && (
          <span
            className={css.tileTags}
            title={image.tags.join(', ')}
            data-text={image.tags.length === 1 ? image.tags[0] : `${image.tags.length} tags`}
          />
        )}
      </div>
    </div>
  )
}

/**
 * Hallucinated words and the lowest score of the response; nothing without one. The name of the tile says them in words:
 * the figures are drawn by the style sheet, so that they are not read a second time.
 */
function Marks({ image: { hallucinatedWords, lowestScore } }: { readonly image: ImageRow }): ReactNode {
  if (hallucinatedWords === null || lowestScore === null) return null
  return (
    <span className={css.marks} title={responseWords(hallucinatedWords, lowestScore)}>
      <span
        className={css.mark}
        data-verdict={hallucinatedWords > 0 ? 'hallucinated' : 'clean'}
        data-text={formatCount(hallucinatedWords)}
      />
      <span className={css.score} data-text={formatFigure(lowestScore, 2)} />
    </span>
  )
}

function responseWords(hallucinated: number, lowest: number | null): string {
  const score = lowest === null ? '' : `, lowest score ${formatFigure(lowest, 2)}`
  return `${formatPlural(hallucinated, 'hallucinated word')}${score}`
}

function wordsOf({ name, width, height, hallucinatedWords, lowestScore, tags }: ImageRow): string {
  return [
    `${name}, ${width} by ${height} pixels`,
    ...(hallucinatedWords === null ? [] : [responseWords(hallucinatedWords, lowestScore)]),
    ...(tags.length > 0 ? [`tagged ${tags.join(', ')}`] : []),
  ].join('; ')
}
