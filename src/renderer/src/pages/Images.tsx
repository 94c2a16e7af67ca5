// Images: bring a folder in, search, sort and look at what is there.
import { Button, Select, TextInput, Title } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconFolderPlus, IconPhotoPlus, IconSearch } from '@tabler/icons-react'
import { type DragEvent, type ReactNode, useEffect, useMemo, useState } from 'react'
import { z } from 'zod'
import { allImages, type ImageQuery, imageQuerySchema } from '../../../shared/domain.ts'
import { request, useAppState } from '../api.ts'
import { attempt } from '../attempt.ts'
import { describeTotal, ImageGrid } from '../features/images/ImageGrid.tsx'
import { ImportPanel, LeftOut } from '../features/images/ImportPanel.tsx'
import { ImageWindows } from '../features/images/imageWindows.ts'
import { inspect } from '../features/inspector/neighbours.ts'
import { useKept } from '../place.ts'
import { useImageCount, useImports } from '../queries/images.ts'
import shared from '../ui/shared.module.css'
import css from './Images.module.css'

const sorts: readonly { value: ImageQuery['sort']; label: string }[] = [
  { value: 'newest', label: 'Newest first' },
  { value: 'name', label: 'By name' },
]

const searchSchema = z.string()
const sortSchema = imageQuerySchema.shape.sort

export function Images(): ReactNode {
  const { workspace } = useAppState()
  const workspaceKey = workspace?.key ?? ''
  const [search, setSearch] = useKept('images.search', searchSchema, '')
  const [settledSearch] = useDebouncedValue(search.trim(), 150)
  const [sort, setSort] = useKept<ImageQuery['sort']>('images.sort', sortSchema, 'newest')
  const [generation, setGeneration] = useState(0)
  const imports = useImports()
  const imageCount = workspace?.imageCount ?? 0
  const isImporting = imports.some(({ live }) => live)

  const query = useMemo<ImageQuery>(() => ({ ...allImages, search: settledSearch, sort }), [settledSearch, sort])
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new generation means new rows for the same query
  const windows = useMemo(
    () => new ImageWindows(query, (thrown) => attempt(() => Promise.reject(thrown))),
    [query, generation],
  )
  const total = useImageCount(query)

  // While an import runs, the newest images push the others down: the rows are asked for again, not too often, and at its end.
  useEffect(() => {
    if (!isImporting) return
    const again = (): void => setGeneration((before) => before + 1)
    const timer = setInterval(again, 1500)
    return () => {
      clearInterval(timer)
      again()
    }
  }, [isImporting])

  const open = (index: number): void => {
    const image = windows.row(index)
    if (image) inspect(query, index, image.imageId)
  }
  const pick = (): void => attempt(() => request('images.pickFolder', {}))
  const drop = useFolderDrop((folders) => {
    for (const folder of folders) attempt(() => request('images.importFolder', { folder }))
  })
  const isReading = workspace?.readOnlyBecause !== null
  const isEmpty = imageCount === 0 && !isImporting

  return (
    <div className={css.images} {...drop.handlers}>
      <header className={shared.pageHead}>
        <div className={css.imagesTitle}>
          <Title order={1} size="h3">
            Images
          </Title>
          {!isEmpty && (
            <span className="quiet" role="status" aria-label="Number of images">
              {total === null ? '' : describeTotal(total, settledSearch !== '')}
            </span>
          )}
          <LeftOut imports={imports} />
        </div>
        {!isEmpty && (
          <div className={css.imagesTools}>
            <TextInput
              id="image-search"
              type="search"
              aria-label="Search images"
              placeholder="Part of a file name"
              leftSection={<IconSearch size={16} aria-hidden="true" />}
              value={search}
              onChange={({ currentTarget }) => setSearch(currentTarget.value)}
            />
            <Select
              aria-label="Order"
              className={css.imagesOrder}
              data={sorts}
              value={sort}
              allowDeselect={false}
              onChange={(value) => setSort((value ?? 'newest') as ImageQuery['sort'])}
            />
            <Button leftSection={<IconFolderPlus size={18} />} disabled={isReading} onClick={pick}>
              Add a folder…
            </Button>
          </div>
        )}
      </header>
      <ImportPanel imports={imports} />
      {isEmpty ? (
        <EmptyImages isReading={isReading} onPick={pick} />
      ) : total === 0 && settledSearch !== '' ? (
        <div className={css.nothing}>
          <p>No image matches “{settledSearch}”.</p>
          <Button variant="default" size="xs" onClick={() => setSearch('')}>
            Show all images
          </Button>
        </div>
      ) : (
        <ImageGrid windows={windows} total={total ?? 0} workspaceKey={workspaceKey} onOpen={open} />
      )}
      {drop.isOver && (
        <div className={css.dropVeil} aria-hidden="true">
          <IconPhotoPlus size={40} />
          Drop folders to add their images
        </div>
      )}
    </div>
  )
}

function EmptyImages({ isReading, onPick }: { readonly isReading: boolean; readonly onPick: () => void }): ReactNode {
  return (
    <div className={shared.empty}>
      <IconPhotoPlus size={44} stroke={1.4} aria-hidden="true" className={shared.emptyIcon} />
      <h2>Add a folder of images</h2>
      <p>
        Drop a folder here, or choose one. JPEG, PNG, WebP, AVIF and TIFF files in it and in the folders below are
        looked through. Your originals stay where they are and are never changed; files that cannot be used are listed
        with the reason.
      </p>
      <Button leftSection={<IconFolderPlus size={18} />} disabled={isReading} onClick={onPick}>
        Add a folder…
      </Button>
    </div>
  )
}

/** Folders and files that are dropped on the page. */
function useFolderDrop(onDrop: (paths: readonly string[]) => void): {
  readonly isOver: boolean
  readonly handlers: Readonly<
    Record<'onDragEnter' | 'onDragOver' | 'onDragLeave' | 'onDrop', (event: DragEvent) => void>
  >
} {
  const [depth, setDepth] = useState(0)
  return {
    isOver: depth > 0,
    handlers: {
      onDragEnter: (event) => {
        event.preventDefault()
        setDepth((before) => before + 1)
      },
      onDragOver: (event) => event.preventDefault(),
      onDragLeave: () => setDepth((before) => before - 1),
      onDrop: (event) => {
        event.preventDefault()
        setDepth(0)
        onDrop([...event.dataTransfer.files].map((file) => window.studio.pathOfDropped(file)).filter(Boolean))
      },
    },
  }
}
