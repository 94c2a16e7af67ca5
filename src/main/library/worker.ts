// The library process: the long work on workspace files and images, away from main and from the engine.
import { setImmediate } from 'node:timers/promises'
import { libraryMethods } from '../../shared/workerProtocol.ts'
import { backupIfDue, describeBackups, ensureBackup, restoreBackup } from '../db/backup.ts'
import { workspaceRecord } from '../db/connection.ts'
import { imagePathsInOrder } from '../db/imagePaths.ts'
import {
  checkWorkspace,
  closeWorkspace,
  createWorkspace,
  foldLog,
  openForReading,
  openWorkspace,
  prepareWorkspace,
} from '../db/open.ts'
import { deleteSome } from '../db/removals.ts'
import { inspectDamage, salvageWorkspace } from '../db/salvage.ts'
import { parentPort } from '../worker/parentPort.ts'
import { serveMethods } from '../worker/serveMethods.ts'
import { findMissingFiles, relinkFolder } from './imageFiles.ts'
import { runImport } from './importImages.ts'
import { layImages } from './layImages.ts'
import { pagePicture } from './readImage.ts'

/** Images whose rows go in one transaction. */
const deletedAtOnce = 200

serveMethods(
  libraryMethods,
  {
    async prepareWorkspace({ path, create }, { report }) {
      if (create) createWorkspace(path)
      await prepareWorkspace(path, (phase) => report({ phase }))
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
    async layImages({ path }, { signal }) {
      const db = openWorkspace(path, { foldsLog: false })
      try {
        return { laid: await layImages(db, signal) }
      } finally {
        db.close()
      }
    },
    pagePicture: async ({ path }) => ({ jpeg: await pagePicture(path) }),
    async findMissingFiles({ path, limitMs }) {
      // Closed before the disks are asked: the last connection to close is to be main's.
      const db = openForReading(path)
      const paths = imagePathsInOrder(db)
      closeWorkspace(db)
      return await findMissingFiles(paths, limitMs)
    },
    async relinkFolder({ path, from, to }, { signal, report }) {
      const db = openWorkspace(path, { foldsLog: false })
      try {
        return await relinkFolder(db, from, to, { signal, report })
      } finally {
        closeWorkspace(db)
      }
    },
    async deleteRemoval({ path, removalId }, { signal, report }) {
      const db = openWorkspace(path, { foldsLog: false })
      try {
        let images = 0
        for (let more = true; more && !signal.aborted; ) {
          const deleted = deleteSome(db, removalId, deletedAtOnce)
          images += deleted
          more = deleted === deletedAtOnce
          report({ done: images })
          // Others who write come in between, and a cancel is heard.
          await setImmediate()
        }
        return { images }
      } finally {
        closeWorkspace(db)
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
    async takeBackup({ path }) {
      const db = openWorkspace(path, { foldsLog: false })
      try {
        return { backup: await ensureBackup(db, path) }
      } finally {
        closeWorkspace(db)
      }
    },
    listBackups: async ({ path }) => describeBackups(path),
    inspectDamage: async ({ path }) => inspectDamage(path),
    salvageWorkspace: async ({ path }) => salvageWorkspace(path),
    async checkWorkspace({ path }) {
      checkWorkspace(path)
      return {}
    },
    async foldLog({ path }) {
      foldLog(path)
      return {}
    },
    restoreBackup: async ({ path, backup }) => ({ keptAs: await restoreBackup(path, backup) }),
  },
  parentPort(),
  workspaceRecord,
)
