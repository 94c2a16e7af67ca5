// Images: bring folders and pictures in, find those that matter by what models said of them, choose, tag, open.
import { Button, Select, TextInput, Title } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconFolderPlus, IconPhotoPlus, IconSearch } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { type AnsweredCheckpoint, type ImageQuery, type ImageRow, imageQuerySchema } from '../../../shared/domain.ts'
import { request, useAppState } from '../api.ts'
import { attempt, showError } from '../attempt.ts'
import { FilterBar } from '../features/images/FilterBar.tsx'
import {
  chosenCheckpoint,
  type Filters,
  isFiltered,
  isOfResponses,
  noFilters,
  queryOf,
  useFilters,
} from '../features/images/filters.ts'
import { ImageGrid } from '../features/images/ImageGrid.tsx'
import { ImportPanel } from '../features/images/ImportPanel.tsx'
import { removeImages, tagImages, untagImages } from '../features/images/imageActions.tsx'
import { MoreMenu } from '../features/images/MoreMenu.tsx'
import { EmptyImages, NothingFound } from '../features/images/NoImages.tsx'
import { SelectionBar } from '../features/images/SelectionBar.tsx'
import { asRequest, countChosen } from '../features/images/selection.ts'
import { useSelection } from '../features/images/useSelection.ts'
import { useWindowDrop } from '../features/images/useWindowDrop.ts'
import { knowImage, useAskAhead } from '../features/inspector/ahead.ts'
import { inspect } from '../features/inspector/neighbours.ts'
import { formatPlural } from '../format.ts'
import { useAnsweredCheckpoints, useImageCount, useImports, useTags } from '../queries/images.ts'
import { keys } from '../queries/keys.ts'
import shared from '../ui/shared.module.css'
import css from './Images.module.css'

const noCheckpoints: readonly AnsweredCheckpoint[] = []
/** So many can be dropped at once. */
const mostDropped = 1000
/** How often the grid follows an import that is under way. */
const followMs = 1500

export function Images(): ReactNode {
  const { workspace } = useAppState()
  const workspaceKey = workspace?.key ?? ''
  const [filters, setFilters] = useFilters()
  const answered = useAnsweredCheckpoints() ?? noCheckpoints
  const tags = useTags()
  const imports = useImports()
  const isImporting = imports.some(({ live }) => live)
  useFollowImport(workspaceKey, isImporting)

  const checkpoint = chosenCheckpoint(filters, answered)
  const [search] = useDebouncedValue(filters.search, 150)
  const query = useSame(queryOf({ ...filters, search }, checkpoint))
  const total = useImageCount(query)
  const choosing = useSelection(query, total ?? 0)
  const chosen = countChosen(choosing.selection, total ?? 0)
  const selected = asRequest(choosing.selection, query)

  const isReading = workspace?.readOnlyBecause !== null
  const isEmpty = (workspace?.imageCount ?? 0) === 0 && !isImporting
  const isOver = useWindowDrop(isReading, (paths) => {
    if (paths.length > mostDropped) showError(tooManyDropped)
    else attempt(() => request('images.importPaths', { paths: [...paths] }))
  })
  const client = useQueryClient()
  const [focused, setFocused] = useState<readonly ImageRow[]>([])
  // Beside the model as it came stands the checkpoint whose marks the person saw.
  const { runId = null, checkpointId = null, step = 0 } = checkpoint ?? {}
  const compared = { runId, right: step > 0 ? checkpointId : null }
  useAskAhead(focused, compared)
  const open = (index: number, image: ImageRow): void => {
    knowImage(client, workspaceKey, image)
    inspect(query, index, image.imageId, compared)
  }
  const remove = (): void => {
    if (selected && !isReading) removeImages(selected, choosing.clear)
  }

  return (
    <div className={css.images}>
      <header className={shared.pageHead}>
        <div className={css.imagesTitle}>
          <Title order={1} size="h3">
            Images
          </Title>
          {!isEmpty && (
            <span className="quiet" role="status" aria-label="Number of images">
              {total === null ? '' : `${formatPlural(total, 'image')}${isFiltered(query) ? ' found' : ''}`}
            </span>
          )}
        </div>
        <div className={css.imagesTools}>
          {!isEmpty && (
            <>
              <TextInput
                id="image-search"
                className={css.imagesSearch}
                type="search"
                aria-label="Search images"
                placeholder="Search"
                title={checkpoint ? 'Part of a file name, or words of a response' : 'Part of a file name'}
                leftSection={<IconSearch size={16} aria-hidden="true" />}
                maxLength={200}
                value={filters.search}
                onChange={({ currentTarget }) => setFilters({ ...filters, search: currentTarget.value })}
              />
              <OrderSelect
                value={query.sort}
                hasResponses={checkpoint !== undefined}
                onChange={(sort) => setFilters({ ...filters, sort })}
              />
              <Button
                leftSection={<IconFolderPlus size={18} />}
                disabled={isReading}
                onClick={() => attempt(() => request('images.pickFolder', {}))}
              >
                Add a folder…
              </Button>
            </>
          )}
          <MoreMenu
            isReading={isReading}
            imports={imports}
            onTagRenamed={(from, to) => filters.tag === from && setFilters({ ...filters, tag: to })}
          />
        </div>
      </header>
      <ImportPanel imports={imports} />
      {!isEmpty && (
        <div className={css.bars}>
          <div className={css.barOf} data-shown={chosen === 0}>
            <FilterBar {...{ filters, query, answered, checkpoint, tags }} onChange={setFilters} />
          </div>
          {chosen > 0 && (
            <div className={css.barOf}>
              <SelectionBar
                count={chosen}
                tags={tags}
                isReading={isReading}
                onTag={(tag) => selected && tagImages(selected, tag)}
                onUntag={(tag) => selected && untagImages(selected, tag)}
                onRemove={remove}
                onClear={choosing.clear}
              />
            </div>
          )}
        </div>
      )}
      {isEmpty ? (
        <EmptyImages isReading={isReading} />
      ) : total === 0 && !isImporting ? (
        <NothingFound
          query={query}
          onShowAll={() =>
            setFilters({
              ...noFilters,
              checkpoint: filters.checkpoint,
              sort: isFiltered(query) ? filters.sort : 'newest',
            })
          }
        />
      ) : (
        <ImageGrid
          {...{ query, workspaceKey, choosing }}
          listName={JSON.stringify({ ...filters, search })}
          total={total ?? 0}
          onOpen={open}
          onFocus={(image) => setFocused([image])}
          onRemove={remove}
        />
      )}
      {isOver && (
        <div className={css.dropVeil} aria-hidden="true">
          <IconPhotoPlus size={40} />
          Drop folders or pictures to add them
        </div>
      )}
    </div>
  )
}

const orders: readonly { readonly value: ImageQuery['sort']; readonly label: string }[] = [
  { value: 'newest', label: 'Newest first' },
  { value: 'name', label: 'By name' },
  { value: 'lowest-score', label: 'Lowest score first' },
  { value: 'most-hallucinated', label: 'Most hallucinated' },
]

interface OrderSelectProps {
  readonly value: ImageQuery['sort']
  /** Whether a checkpoint is chosen. */
  readonly hasResponses: boolean
  readonly onChange: (sort: Filters['sort']) => void
}

function OrderSelect({ value, hasResponses, onChange }: OrderSelectProps): ReactNode {
  return (
    <Select
      aria-label="Order"
      className={css.imagesOrder}
      data={orders.map((one) => ({ ...one, disabled: isOfResponses(one.value) && !hasResponses }))}
      value={value}
      allowDeselect={false}
      comboboxProps={{ width: 250, position: 'bottom-end' }}
      onChange={(chosen) => {
        const { data } = imageQuerySchema.shape.sort.safeParse(chosen)
        if (data) onChange(data)
      }}
      renderOption={({ option: { value: order, label } }) => (
        <span>
          {label}
          {isOfResponses(order as ImageQuery['sort']) && (
            <span className={css.orderNote}>
              {hasResponses ? 'Only images that were described' : 'Needs responses: let a model describe images'}
            </span>
          )}
        </span>
      )}
    />
  )
}

const tooManyDropped = {
  code: 'image.too-many-dropped',
  message: `More than ${mostDropped.toLocaleString()} files were dropped at once.`,
  remedy: 'Drop the folder that they are in instead.',
} as const

/** The same object as long as it says the same. */
function useSame(query: ImageQuery): ImageQuery {
  const text = JSON.stringify(query)
  return useMemo(() => imageQuerySchema.parse(JSON.parse(text)), [text])
}

/** While an import runs, the newest images push the others down: they are asked for again, not too often, and at its end. */
function useFollowImport(workspaceKey: string, isImporting: boolean): void {
  const client = useQueryClient()
  useEffect(() => {
    if (!isImporting) return
    const again = (): void => void client.invalidateQueries({ queryKey: keys.images(workspaceKey) })
    const timer = setInterval(again, followMs)
    return () => {
      clearInterval(timer)
      again()
    }
  }, [client, workspaceKey, isImporting])
}
