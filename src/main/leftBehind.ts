// What a killed instance of the app left in the system's folder for temporary files, taken away by the next one.
import { lstatSync, readdirSync, readlinkSync, rmdirSync, unlinkSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { logger } from './log.ts'

const ownNames = new Set(['SingletonSocket', 'SingletonCookie'])

/**
 * The folder with the socket through which a second start finds the first. Chromium makes it, puts a link to it into
 * the folder of the settings, and removes it when the app ends in order. Null on systems that have another way.
 */
export function singletonFolder(userData: string): string | null {
  try {
    return dirname(readlinkSync(join(userData, 'SingletonSocket')))
  } catch {
    // No link: nobody was here before, or everybody left in order.
    return null
  }
}

/** Removes the folder of an instance that is gone; call it once this one is the only one. Touches nothing else. */
export function removeSingletonFolder(left: string | null, userData: string): void {
  if (left === null || left === singletonFolder(userData)) return
  try {
    const isOwn = lstatSync(left).isDirectory() && lstatSync(left).uid === process.getuid?.()
    if (!isOwn || !/^(scoped_dir|\.org\.chromium\.)/.test(basename(left))) return
    const names = readdirSync(left)
    if (!names.every((name) => ownNames.has(name))) return
    for (const name of names) unlinkSync(join(left, name))
    rmdirSync(left)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') logger.warn(`${left} could not be removed: ${thrown}`)
  }
}
