// The tags of the workspace, to give them other names.
import { Button, Group, Text, TextInput } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { type TagRecord, tagNameSchema } from '../../../../shared/domain.ts'
import { request } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { formatPlural } from '../../format.ts'
import { useTags } from '../../queries/images.ts'
import { Dialog } from '../../ui/Dialog.tsx'

interface TagsDialogProps {
  readonly isReading: boolean
  readonly onRenamed: (from: string, to: string) => void
  readonly onClose: () => void
}

export function TagsDialog({ isReading, onRenamed, onClose }: TagsDialogProps): ReactNode {
  const tags = useTags()
  return (
    <Dialog onClose={onClose} size="md" title="Tags">
      <Text size="sm" className="quiet" mb="md">
        {tags.length === 0
          ? 'There are no tags yet. Choose images and give them one; then filter by it.'
          : 'Another name goes with every image that has the tag.'}
      </Text>
      {tags.map((tag) => (
        <TagRow key={tag.name} tag={tag} isReading={isReading} onRenamed={onRenamed} />
      ))}
    </Dialog>
  )
}

interface TagRowProps {
  readonly tag: TagRecord
  readonly isReading: boolean
  readonly onRenamed: (from: string, to: string) => void
}

function TagRow({ tag: { name, images }, isReading, onRenamed }: TagRowProps): ReactNode {
  const [typed, setTyped] = useState(name)
  const { success, data } = tagNameSchema.safeParse(typed)
  const isNew = success && data !== name
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        if (!isNew) return
        attempt(async () => {
          await request('images.renameTag', { from: name, to: data })
          onRenamed(name, data)
        })
      }}
    >
      <Group align="flex-end" wrap="nowrap" mb="sm">
        <TextInput
          flex={1}
          label={`${name}, ${formatPlural(images, 'image')}`}
          maxLength={80}
          disabled={isReading}
          value={typed}
          onChange={({ currentTarget }) => setTyped(currentTarget.value)}
        />
        <Button type="submit" variant="default" disabled={!isNew || isReading} aria-label={`Rename ${name}`}>
          Rename
        </Button>
      </Group>
    </form>
  )
}
