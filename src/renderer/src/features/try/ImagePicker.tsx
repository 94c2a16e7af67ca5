// Chooses one image of the library: by part of its name, and by what it looks like.
import { Button, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconSearch } from '@tabler/icons-react'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { imageUrl } from '../../../../shared/contract.ts'
import { allImages } from '../../../../shared/domain.ts'
import { request, useWorkspaceKey } from '../../api.ts'
import { formatCount, formatPlural } from '../../format.ts'
import { useImageCount } from '../../queries/images.ts'
import { keys } from '../../queries/keys.ts'
import css from './ImagePicker.module.css'

const pageSize = 48
/** More are not looked through by eye: the name narrows them down. */
const most = 480

interface ImagePickerProps {
  /** The image that is chosen now. */
  readonly imageId: number | null
  readonly onPick: (imageId: number) => void
}

export function ImagePicker({ imageId, onPick }: ImagePickerProps): ReactNode {
  const w = useWorkspaceKey()
  const [search, setSearch] = useState('')
  const [settled] = useDebouncedValue(search.trim(), 150)
  const [limit, setLimit] = useState(pageSize)
  const query = { ...allImages, search: settled }
  const total = useImageCount(query)
  const { data } = useQuery({
    queryKey: keys.imageWindow(w, query, 0, limit),
    queryFn: () => request('images.window', { query, offset: 0, limit }),
    enabled: w !== null,
    placeholderData: keepPreviousData,
  })
  const images = data?.images ?? []
  return (
    <div className={css.picker}>
      <TextInput
        type="search"
        aria-label="Search by name"
        placeholder="Part of a file name"
        data-autofocus
        leftSection={<IconSearch size={16} aria-hidden="true" />}
        value={search}
        onChange={({ currentTarget }) => {
          setSearch(currentTarget.value)
          setLimit(pageSize)
        }}
      />
      <p className={css.total} role="status">
        {total === null ? '' : total === 0 ? `No image has “${settled}” in its name.` : formatPlural(total, 'image')}
      </p>
      <ul className={css.images} aria-label="Images">
        {images.map((image) => (
          <li key={image.imageId}>
            <button
              type="button"
              className={css.image}
              aria-pressed={image.imageId === imageId}
              title={image.name}
              onClick={() => onPick(image.imageId)}
            >
              <img src={imageUrl.thumbnail(w ?? '', image.imageId)} alt="" loading="lazy" decoding="async" />
              <bdi>{image.name}</bdi>
            </button>
          </li>
        ))}
      </ul>
      {total !== null && total > images.length && limit < most && (
        <Button variant="default" size="xs" className={css.more} onClick={() => setLimit(limit + pageSize)}>
          Show more
        </Button>
      )}
      {total !== null && total > most && limit >= most && (
        <p className={css.total}>The first {formatCount(most)} are shown; part of the name finds the others.</p>
      )}
    </div>
  )
}
