// What stands in the place of the grid: how images come here, and why none is found.
import { Button, Group } from '@mantine/core'
import { IconFilterOff, IconFolderPlus, IconPhotoPlus } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { ImageQuery } from '../../../../shared/domain.ts'
import { request } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import shared from '../../ui/shared.module.css'
import { isFiltered, whyNothing } from './filters.ts'

/** The workspace has no images. */
export function EmptyImages({ isReading }: { readonly isReading: boolean }): ReactNode {
  return (
    <div className={shared.empty}>
      <IconPhotoPlus size={44} stroke={1.4} aria-hidden="true" className={shared.emptyIcon} />
      <h2>Add a folder of images</h2>
      <p>
        Drop folders or pictures anywhere on this window, or choose them. JPEG, PNG, WebP, AVIF and TIFF files are
        looked through, also in the folders below. Your originals stay where they are and are never changed; what cannot
        be used is listed with the reason.
      </p>
      <Group justify="center" gap="xs">
        <Button
          leftSection={<IconFolderPlus size={18} />}
          disabled={isReading}
          onClick={() => attempt(() => request('images.pickFolder', {}))}
        >
          Add a folder…
        </Button>
        <Button variant="default" disabled={isReading} onClick={() => attempt(() => request('images.pickFiles', {}))}>
          Single pictures…
        </Button>
      </Group>
    </div>
  )
}

interface NothingFoundProps {
  readonly query: ImageQuery
  readonly onShowAll: () => void
}

/** There are images, but none that the query asks for. */
export function NothingFound({ query, onShowAll }: NothingFoundProps): ReactNode {
  return (
    <div className={shared.empty} role="status">
      <IconFilterOff size={44} stroke={1.4} aria-hidden="true" className={shared.emptyIcon} />
      <h2>No images match</h2>
      <p>{whyNothing(query)}</p>
      <Button variant="default" onClick={onShowAll}>
        {isFiltered(query) ? 'Show all images' : 'Show them in another order'}
      </Button>
    </div>
  )
}
