// Where an export or a sweep goes: a folder in the one that a person chose, by a name that nothing has yet. Asked by runFiles.ts
// and sweeps.ts.
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { StudioError } from '../../shared/errors.ts'
import { exportFolderName, fileNameOf, unfinishedSuffix, utf8Bytes } from '../../shared/fileName.ts'
import { NoAnswer, withinMs } from '../files/regularFile.ts'

/** Where a folder cannot even be looked at, the engine says why at the last of these names. */
const mostExportFolders = 1000

/** A folder of the person's that does not answer by then is on a drive that is gone. */
const longestAnswerMs = 5000

/**
 * A folder for an export in `parent`, by a name that is not taken and that every file system takes.
 * @throws StudioError `app.no-answer` when the drive does not answer
 */
export async function newExportFolder(parent: string, runName: string, step: number): Promise<string> {
  return await newFolder(parent, (number) => exportFolderName(runName, step, number))
}

/** A folder for a sweep, likewise. @throws StudioError `app.no-answer` when the drive does not answer */
export async function newSweepFolder(parent: string, name: string): Promise<string> {
  const base = fileNameOf(name, utf8Bytes(` ${mostExportFolders}`) + unfinishedSuffix.length, 'Sweep')
  return await newFolder(parent, (number) => (number === 1 ? base : `${base} ${number}`))
}

/** @param nameOf a name for each try, from 1 */
async function newFolder(parent: string, nameOf: (number: number) => string): Promise<string> {
  for (let number = 1; ; number++) {
    const folder = join(parent, nameOf(number))
    const isTaken = await withinMs(longestAnswerMs, lstat(folder)).then(
      () => true,
      (thrown: unknown) => {
        if (thrown instanceof NoAnswer) throw noAnswer(parent)
        return (thrown as NodeJS.ErrnoException).code !== 'ENOENT'
      },
    )
    if (!isTaken || number === mostExportFolders) return folder
  }
}

function noAnswer(folder: string): StudioError {
  return new StudioError({
    code: 'app.no-answer',
    message: 'The drive of this folder does not answer.',
    remedy: 'Connect the drive again, or choose a folder on another one.',
    where: folder,
  })
}
