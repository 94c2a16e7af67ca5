// The files of a folder and of all within it, for annotatedImages.ts, which looks for names among them.
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { StudioError } from '../../../shared/errors.ts'

/** A folder with more entries is none of images: a home folder, or a whole disk. */
const mostEntries = 1_000_000

/**
 * Files of a folder and of those within it, with slashes, in order; folders that cannot be read have none.
 * @throws StudioError `run.annotations` when it holds too much
 */
export async function filesWithin(folder: string, most = mostEntries): Promise<string[]> {
  const files: string[] = []
  let seen = 0
  const walk = async (under: string): Promise<void> => {
    const entries = await readdir(join(folder, under), { withFileTypes: true }).catch((): Dirent[] => [])
    seen += entries.length
    if (seen > most) throw tooManyFiles(folder, most)
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const name = under === '' ? entry.name : `${under}/${entry.name}`
      if (entry.isDirectory()) await walk(name)
      else if (entry.isFile() || (entry.isSymbolicLink() && (await exists(join(folder, name))))) files.push(name)
    }
  }
  await walk('')
  return files
}

function tooManyFiles(folder: string, most: number): StudioError {
  return new StudioError({
    code: 'run.annotations',
    message: 'The folder of the annotated images holds too many files to be searched.',
    remedy: 'Choose the folder that holds only those images.',
    expected: `at most ${most} files and folders`,
    found: 'more',
    where: folder,
  })
}

/** Whether a file lies there, whoever may read it. */
export async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isFile(),
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
  )
}
