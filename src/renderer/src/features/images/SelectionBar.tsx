// What can be done with the images that are chosen, in the place of the filters: tags, taking them away, nothing.
import { ActionIcon, Autocomplete, Button, Menu, Popover, Tooltip } from '@mantine/core'
import { IconTag, IconTagOff, IconTrash, IconX } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { type TagRecord, tagNameSchema } from '../../../../shared/domain.ts'
import { formatPlural } from '../../format.ts'
import css from './SelectionBar.module.css'

interface SelectionBarProps {
  readonly count: number
  readonly tags: readonly TagRecord[]
  /** Nothing can be changed here. */
  readonly isReading: boolean
  readonly onTag: (tag: string) => void
  readonly onUntag: (tag: string) => void
  readonly onRemove: () => void
  readonly onClear: () => void
}

export function SelectionBar({
  count,
  tags,
  isReading,
  onTag,
  onUntag,
  onRemove,
  onClear,
}: SelectionBarProps): ReactNode {
  return (
    <div className={css.bar} role="toolbar" aria-label="Chosen images">
      <span className={css.count} role="status">
        {formatPlural(count, 'image')} chosen
      </span>
      <TagButton tags={tags} isOff={isReading} onTag={onTag} />
      <Menu position="bottom-start">
        <Menu.Target>
          <Button
            variant="default"
            size="xs"
            leftSection={<IconTagOff size={15} aria-hidden="true" />}
            disabled={isReading || tags.length === 0}
          >
            Untag…
          </Button>
        </Menu.Target>
        <Menu.Dropdown className={css.tags}>
          {tags.map(({ name }) => (
            <Menu.Item key={name} onClick={() => onUntag(name)}>
              <bdi>{name}</bdi>
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Button
        variant="default"
        size="xs"
        leftSection={<IconTrash size={15} aria-hidden="true" />}
        disabled={isReading}
        onClick={onRemove}
      >
        Remove
      </Button>
      <Tooltip label="Choose nothing (Escape)">
        <ActionIcon variant="subtle" color="gray" aria-label="Choose nothing" onClick={onClear}>
          <IconX size={16} />
        </ActionIcon>
      </Tooltip>
    </div>
  )
}

interface TagButtonProps {
  readonly tags: readonly TagRecord[]
  readonly isOff: boolean
  readonly onTag: (tag: string) => void
}

function TagButton({ tags, isOff, onTag }: TagButtonProps): ReactNode {
  const [isOpen, setOpen] = useState(false)
  const [typed, setTyped] = useState('')
  const { success, data } = tagNameSchema.safeParse(typed)
  return (
    <Popover opened={isOpen} onChange={setOpen} position="bottom-start" width={280} trapFocus returnFocus shadow="md">
      <Popover.Target>
        <Button
          variant="default"
          size="xs"
          leftSection={<IconTag size={15} aria-hidden="true" />}
          disabled={isOff}
          onClick={() => setOpen(!isOpen)}
        >
          Tag…
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Tag the chosen images">
        <form
          className={css.tagForm}
          onSubmit={(event) => {
            event.preventDefault()
            if (!success) return
            onTag(data)
            setTyped('')
            setOpen(false)
          }}
        >
          <Autocomplete
            label="Tag"
            placeholder="A new name or one of yours"
            data-autofocus
            maxLength={80}
            limit={50}
            comboboxProps={{ withinPortal: false }}
            data={tags.map(({ name }) => name)}
            value={typed}
            onChange={setTyped}
          />
          <Button type="submit" size="xs" disabled={!success}>
            Give this tag
          </Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  )
}
