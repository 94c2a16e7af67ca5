// What is done with chosen images, and what is said of it: each removal with a way back.
import { Button, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import type { ImageSelection } from '../../../../shared/domain.ts'
import { request } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { formatPlural } from '../../format.ts'

const shortMs = 6_000
/** Long enough to see that it was a mistake; the menu brings back later what was removed. */
const undoMs = 30_000

export function tagImages(selection: ImageSelection, tag: string): void {
  attempt(async () => {
    const { images } = await request('images.tag', { selection, tag })
    say(images === 0 ? `They had the tag “${tag}” already.` : `${formatPlural(images, 'image')} tagged “${tag}”.`)
  })
}

export function untagImages(selection: ImageSelection, tag: string): void {
  attempt(async () => {
    const { images } = await request('images.untag', { selection, tag })
    say(images === 0 ? `None of them had the tag “${tag}”.` : `Taken from ${formatPlural(images, 'image')}: “${tag}”.`)
  })
}

/** @param onDone called once they are gone */
export function removeImages(selection: ImageSelection, onDone: () => void): void {
  attempt(async () => {
    const { removalId, images } = await request('images.remove', { selection })
    onDone()
    if (removalId === null) return
    const id = notifications.show({
      ...{ role: 'status', withBorder: true, autoClose: undoMs, closeButtonProps },
      title: `${formatPlural(images, 'image')} removed`,
      message: (
        <>
          <Text size="sm">The files stay where they are; responses and runs are kept.</Text>
          <Button
            size="xs"
            variant="default"
            mt={8}
            onClick={() => {
              notifications.hide(id)
              restoreImages(removalId)
            }}
          >
            Undo
          </Button>
        </>
      ),
    })
  })
}

export function restoreImages(removalId: number): void {
  attempt(async () => {
    const { images } = await request('images.restore', { removalId })
    say(`${formatPlural(images, 'image')} brought back.`)
  })
}

const closeButtonProps = { 'aria-label': 'Close this message' }

function say(message: string): void {
  notifications.show({ ...{ role: 'status', withBorder: true, autoClose: shortMs, closeButtonProps }, message })
}
