// What a person is told of a workspace that is not open, only to be read, or gone while it was open. For workspaces.ts.
import { StudioError } from '../../shared/errors.ts'
import { removedWorkspace } from '../db/connection.ts'
import type { FileLoss } from './workspaceWatch.ts'

export function lossError(path: string, loss: FileLoss, keptAs: string | null): StudioError {
  if (loss === 'overwritten') {
    return new StudioError({
      code: 'workspace.overwritten',
      message: 'Another program wrote over the workspace file while it was open, so the workspace was closed.',
      remedy: 'Open the file to see what stands in it now; the automatic backups beside it hold what was there before.',
      where: path,
    })
  }
  if (loss === 'moved' || keptAs === null) return removedWorkspace(path)
  return new StudioError({
    code: 'workspace.removed',
    message: 'The workspace file was deleted or replaced while it was open, so the workspace was closed.',
    remedy: `All that was stored in it is kept as a backup: ${keptAs}.`,
    where: path,
  })
}

export function noneOpen(): StudioError {
  return new StudioError({
    code: 'workspace.none-open',
    message: 'No workspace is open.',
    remedy: 'Create or open one on the Home screen first.',
  })
}

export function readingOnly({ path, because }: { readonly path: string; readonly because: string }): StudioError {
  return new StudioError({
    code: 'workspace.reading-only',
    message: 'This workspace is open for reading only, so nothing can be changed in it here.',
    remedy: 'Close it in the other FiSAO Studio, then open it again here.',
    found: because,
    where: path,
  })
}
