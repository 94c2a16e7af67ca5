// The library process: the long work on workspace files and images, away from main and from the engine.
import { libraryMethods } from '../../shared/workerProtocol.ts'
import { backupIfDue, restoreBackup } from '../db/backup.ts'
import { closeWorkspace, createWorkspace, foldLog, openWorkspace, prepareWorkspace } from '../db/open.ts'
import { parentPort } from '../worker/parentPort.ts'
import { serveMethods } from '../worker/serveMethods.ts'
import { runImport } from './importImages.ts'

/** A page check of a large file on a slow disk is one long call; main is told not to worry. */
const checkQuietMs = 30 * 60_000

serveMethods(
  libraryMethods,
  {
    async prepareWorkspace({ path, create }, { report, quietFor }) {
      if (create) createWorkspace(path)
      quietFor(checkQuietMs)
      await prepareWorkspace(path, (phase) => {
        report({ phase })
        quietFor(checkQuietMs)
      })
      return { path }
    },
    async runImport({ path, importId }, { signal, report }) {
      const db = openWorkspace(path, { foldsLog: false })
      try {
        return await runImport(db, importId, { signal, report })
      } finally {
        db.close()
      }
    },
    async backupIfDue({ path }) {
      const db = openWorkspace(path, { foldsLog: false })
      try {
        return { backup: await backupIfDue(db, path) }
      } finally {
        closeWorkspace(db)
      }
    },
    async foldLog({ path }, { quietFor }) {
      quietFor(checkQuietMs)
      foldLog(path)
      return {}
    },
    async restoreBackup({ path, backup }, { quietFor }) {
      quietFor(checkQuietMs)
      return { keptAs: await restoreBackup(path, backup) }
    },
  },
  parentPort(),
)
