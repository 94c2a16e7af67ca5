// What is done with chosen images, and what is said of it: each change with a way back, but for the one that deletes.
import { Button, Stack, Text } from '@mantine/core'
import { modals } from '@mantine/modals'
import { notifications } from '@mantine/notifications'
import type { ImageSelection } from '../../../../shared/domain.ts'
import { request } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { formatPlural } from '../../format.ts'
import { deletionWords } from './deletionWords.ts'

const shortMs = 6_000
/** Long enough to see that it was a mistake; the menu brings back later what was removed. */
const undoMs = 30_000

export function tagImages(selection: ImageSelection, tag: string): void {
  attempt(async () => {
    const { images, changeId } = await request('images.tag', { selection, tag })
    if (changeId === null) say(`They had the tag “${tag}” already.`)
    else sayUndoable(`${formatPlural(images, 'image')} tagged “${tag}”`, null, () => undoTags(changeId))
  })
}

export function untagImages(selection: ImageSelection, tag: string): void {
  attempt(async () => {
    const { images, changeId } = await request('images.untag', { selection, tag })
    if (changeId === null) say(`None of them had the tag “${tag}”.`)
    else sayUndoable(`“${tag}” taken from ${formatPlural(images, 'image')}`, null, () => undoTags(changeId))
  })
}

function undoTags(changeId: number): void {
  attempt(async () => {
    const { images } = await request('images.undoTags', { changeId })
    say(images === 0 ? 'This cannot be undone any more.' : `Undone for ${formatPlural(images, 'image')}.`)
  })
}

/** @param onDone called once they are gone */
export function removeImages(selection: ImageSelection, onDone: () => void): void {
  attempt(async () => {
    const { removalId, images } = await request('images.remove', { selection })
    onDone()
    if (removalId === null) return
    const what = 'The files stay where they are; responses and runs are kept.'
    const undo = () => restoreImages(removalId)
    sayUndoable(`${formatPlural(images, 'image')} removed`, what, undo, noticeOf(removalId))
  })
}

/** Asks whether removed images shall be deleted for good, with what that takes. */
export function askToDelete(removalId: number): void {
  attempt(async () => {
    const deletion = await request('images.deletion', { removalId })
    const [what, kept] = deletionWords(deletion)
    modals.openConfirmModal({
      title: 'Delete for good?',
      children: (
        <Stack gap="xs">
          {what && <Text size="sm">{what}</Text>}
          {kept && <Text size="sm">{kept}</Text>}
        </Stack>
      ),
      centered: true,
      labels: { confirm: 'Delete for good', cancel: 'Keep them' },
      cancelProps: { 'data-autofocus': true },
      confirmProps: { color: 'red.9', disabled: deletion.images === 0 },
      closeButtonProps: { 'aria-label': 'Close' },
      onConfirm: () =>
        attempt(async () => {
          const { images } = await request('images.delete', { removalId })
          notifications.hide(noticeOf(removalId))
          say(`${formatPlural(images, 'image')} deleted for good.`)
        }),
    })
  })
}

export function restoreImages(removalId: number): void {
  attempt(async () => {
    const { images } = await request('images.restore', { removalId })
    notifications.hide(noticeOf(removalId))
    say(`${formatPlural(images, 'image')} brought back.`)
  })
}

const closeButtonProps = { 'aria-label': 'Close this message' }

function noticeOf(removalId: number): string {
  return `removal ${removalId}`
}

function sayUndoable(title: string, what: string | null, undo: () => void, ownId?: string): void {
  const id = notifications.show({
    ...(ownId !== undefined && { id: ownId }),
    ...{ role: 'status', withBorder: true, autoClose: undoMs, closeButtonProps, title },
    message: (
      <>
        {what && <Text size="sm">{what}</Text>}
        <Button
          size="xs"
          variant="default"
          mt={8}
          onClick={() => {
            notifications.hide(id)
            undo()
          }}
        >
          Undo
        </Button>
      </>
    ),
  })
}

function say(message: string): void {
  notifications.show({ ...{ role: 'status', withBorder: true, autoClose: shortMs, closeButtonProps }, message })
}
