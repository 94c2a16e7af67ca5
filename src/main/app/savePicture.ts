// A part of the window as a picture in a file that a person chooses. Asked by studio.ts.
import { writeFile } from 'node:fs/promises'
import type { BrowserWindow, Rectangle } from 'electron'
import { StudioError } from '../../shared/errors.ts'
import { fileNameOf } from '../../shared/fileName.ts'
import { askPictureFile } from './dialogs.ts'

/** What the window shows in this part of its page, in CSS pixels, as PNG. @throws StudioError `app.no-window` */
export async function pictureOf(window: BrowserWindow | null, area: Rectangle): Promise<Buffer> {
  const picture = await window?.webContents.capturePage(area)
  if (picture && !picture.isEmpty()) return picture.toPNG()
  throw new StudioError({
    code: 'app.no-window',
    message: 'There is no window, or nothing of it, to make a picture of.',
    remedy: 'Make the window larger, so that what you want to save can be seen in it.',
  })
}

/**
 * Makes the picture before it asks where to: the window may change while the dialog is open.
 * @param name as a person typed it, without an extension
 * @returns null when no file was chosen
 * @throws StudioError `app.picture-not-written`
 */
export async function savePicture(name: string, picture: () => Promise<Buffer>): Promise<{ path: string } | null> {
  const bytes = await picture()
  const path = await askPictureFile(`${fileNameOf(name, 4, 'Picture')}.png`)
  if (path === null) return null
  try {
    await writeFile(path, bytes)
  } catch (thrown) {
    throw new StudioError({
      code: 'app.picture-not-written',
      message: 'The picture could not be written there.',
      remedy: 'Choose a folder that you may write to, on a disk with room.',
      found: (thrown as NodeJS.ErrnoException).code ?? String(thrown),
      where: path,
    })
  }
  return { path }
}
