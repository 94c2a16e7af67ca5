// The library process: the long work on workspace files and images, away from main and from the engine.
import { libraryMethods } from '../../shared/workerProtocol.ts'
import { backupIfDue, describeBackups, ensureBackup, restoreBackup } from '../db/backup.ts'
import { closeWorkspace, createWorkspace, openWorkspace, prepareWorkspace } from '../db/open.ts'
import { inspectDamage, salvageWorkspace } from '../db/salvage.ts'
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
      const db = openWorkspace(path)
      try {
        return await runImport(db, importId, { signal, report })
      } finally {
        db.close()
      }
    },
    async backupIfDue({ path }, { quietFor }) {
      quietFor(checkQuietMs)
      const db = openWorkspace(path)
      try {
        return { backup: await backupIfDue(db, path) }
      } finally {
        closeWorkspace(db)
      }
    },
    async takeBackup({ path }, { quietFor }) {
      quietFor(checkQuietMs)
      const db = openWorkspace(path)
      try {
        return { backup: await ensureBackup(db, path) }
      } finally {
        closeWorkspace(db)
      }
    },
    async listBackups({ path }, { quietFor }) {
      quietFor(checkQuietMs)
      return describeBackups(path)
    },
    async inspectDamage({ path }, { quietFor }) {
      quietFor(checkQuietMs)
      return inspectDamage(path)
    },
    async salvageWorkspace({ path }, { quietFor }) {
      quietFor(checkQuietMs)
      return salvageWorkspace(path)
    },
    async restoreBackup({ path, backup }, { quietFor }) {
      quietFor(checkQuietMs)
      return { keptAs: await restoreBackup(path, backup) }
    },
  },
  parentPort(),
)
