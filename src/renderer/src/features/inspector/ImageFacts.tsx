// What the workspace knows of an image, folded away.
import type { ReactNode } from 'react'
import type { ImageFacts as Facts } from '../../../../shared/domain.ts'
import { formatBytes, formatMoment } from '../../format.ts'
import shared from '../../ui/shared.module.css'
import css from './ImageFacts.module.css'

export function ImageFacts({ image }: { readonly image: Facts }): ReactNode {
  const { width, height, sizeBytes, format, path, addedAtMs, sha256 } = image
  return (
    <details className={shared.fold}>
      <summary>About this image</summary>
      <dl className={css.facts}>
        <dt>Size</dt>
        <dd>
          {width} × {height} pixels, {formatBytes(sizeBytes)}, {format.toUpperCase()}
        </dd>
        <dt>File</dt>
        <dd>
          <bdi>{path}</bdi>
        </dd>
        <dt>Added</dt>
        <dd>{formatMoment(addedAtMs)}</dd>
        <dt>SHA-256</dt>
        <dd>{sha256}</dd>
      </dl>
    </details>
  )
}
