// One image large, with what the workspace knows of it; arrow keys go on to the next.
import { ActionIcon } from '@mantine/core'
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react'
import { type ReactNode, useEffect, useState, useSyncExternalStore } from 'react'
import { imageUrl } from '../../../../shared/contract.ts'
import { formatBytes, formatCount, formatMoment } from '../../format.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import css from './ImageViewer.module.css'
import type { ImageWindows } from './imageWindows.ts'

export interface ImageViewerProps {
  readonly windows: ImageWindows
  readonly index: number
  readonly total: number
  readonly workspaceKey: string
  readonly onMove: (index: number) => void
  readonly onClose: () => void
}

export function ImageViewer({ windows, index, total, workspaceKey, onMove, onClose }: ImageViewerProps): ReactNode {
  useSyncExternalStore(windows.subscribe, windows.version)
  useEffect(() => windows.load(index, index + 1), [windows, index])
  const image = windows.row(index)
  const [missingId, setMissingId] = useState<number | null>(null)
  const isMissing = image !== undefined && missingId === image.imageId

  return (
    <Dialog
      onClose={onClose}
      size="auto"
      centered
      title={image?.name ?? 'Loading…'}
      onKeyDown={({ key }) => {
        if (key === 'ArrowRight' && index < total - 1) onMove(index + 1)
        if (key === 'ArrowLeft' && index > 0) onMove(index - 1)
      }}
    >
      <div className={css.viewerPicture}>
        <ActionIcon
          variant="default"
          size="lg"
          aria-label="Previous image"
          disabled={index === 0}
          onClick={() => onMove(index - 1)}
        >
          <IconChevronLeft size={20} />
        </ActionIcon>
        {image && (
          <img
            key={image.imageId}
            src={
              isMissing ? imageUrl.thumbnail(workspaceKey, image.imageId) : imageUrl.full(workspaceKey, image.imageId)
            }
            alt={image.name}
            onError={() => setMissingId(image.imageId)}
          />
        )}
        <ActionIcon
          variant="default"
          size="lg"
          aria-label="Next image"
          disabled={index >= total - 1}
          onClick={() => onMove(index + 1)}
        >
          <IconChevronRight size={20} />
        </ActionIcon>
      </div>
      {isMissing && (
        <p className={css.viewerMissing} role="status">
          The original cannot be shown: it was moved or deleted, or its format needs another program. This is its
          thumbnail.
        </p>
      )}
      {image && (
        <dl className={css.viewerFacts}>
          <Fact
            name="Size"
            value={`${image.width} × ${image.height} pixels, ${formatBytes(image.sizeBytes)}, ${image.format.toUpperCase()}`}
          />
          <Fact name="File" value={image.path} />
          <Fact name="Added" value={formatMoment(image.addedAtMs)} />
          <Fact name="SHA-256" value={image.sha256} />
          <Fact name="Place" value={`${formatCount(index + 1)} of ${formatCount(total)}`} />
        </dl>
      )}
    </Dialog>
  )
}

function Fact({ name, value }: { readonly name: string; readonly value: string }): ReactNode {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  )
}
