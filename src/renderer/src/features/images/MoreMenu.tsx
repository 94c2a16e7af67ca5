// What is done with images now and then: single pictures, files that moved, what was left out or removed, tags.
import { ActionIcon, Menu, Tooltip } from '@mantine/core'
import { IconArrowBackUp, IconDots, IconFileAlert, IconListDetails, IconPhotoPlus, IconTags } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { ImportView } from '../../../../shared/contract.ts'
import { request } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { MissingDialog } from './MissingDialog.tsx'
import { RemovedDialog } from './RemovedDialog.tsx'
import { SkippedFiles } from './SkippedFiles.tsx'
import { TagsDialog } from './TagsDialog.tsx'

interface MoreMenuProps {
  readonly isReading: boolean
  readonly imports: readonly ImportView[]
  readonly onTagRenamed: (from: string, to: string) => void
}

type Opened = 'missing' | 'removed' | 'tags' | 'left out' | null

export function MoreMenu({ isReading, imports, onTagRenamed }: MoreMenuProps): ReactNode {
  const [opened, setOpened] = useState<Opened>(null)
  const close = (): void => setOpened(null)
  const [newest] = imports
  const leftOut = newest && !newest.live && (newest.skipped > 0 || newest.leftOut.length > 0) ? newest : null
  return (
    <>
      <Menu position="bottom-end" width={260}>
        <Menu.Target>
          <Tooltip label="More">
            <ActionIcon variant="default" size={36} aria-label="More about images">
              <IconDots size={18} />
            </ActionIcon>
          </Tooltip>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconPhotoPlus size={16} />}
            disabled={isReading}
            onClick={() => attempt(() => request('images.pickFiles', {}))}
          >
            Add single pictures…
          </Menu.Item>
          <Menu.Item
            leftSection={<IconListDetails size={16} />}
            disabled={!leftOut}
            onClick={() => setOpened('left out')}
          >
            What the last import left out…
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item leftSection={<IconFileAlert size={16} />} onClick={() => setOpened('missing')}>
            Missing files…
          </Menu.Item>
          <Menu.Item leftSection={<IconArrowBackUp size={16} />} onClick={() => setOpened('removed')}>
            Removed images…
          </Menu.Item>
          <Menu.Item leftSection={<IconTags size={16} />} onClick={() => setOpened('tags')}>
            Tags…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {opened === 'missing' && <MissingDialog isReading={isReading} onClose={close} />}
      {opened === 'removed' && <RemovedDialog isReading={isReading} onClose={close} />}
      {opened === 'tags' && <TagsDialog isReading={isReading} onRenamed={onTagRenamed} onClose={close} />}
      {opened === 'left out' && leftOut && <SkippedFiles view={leftOut} onClose={close} />}
    </>
  )
}
