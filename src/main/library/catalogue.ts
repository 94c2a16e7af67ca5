// The library's questions and small changes over a workspace file: a connection that reads and stays open from question to
// question, and one that writes for each change. Before it stands main (app/catalogue.ts), after it db.
import type { catalogueMethods } from '../../shared/workerProtocol.ts'
import type { ReadableDb, WritableDb } from '../db/connection.ts'
import { countImages, imageWindow } from '../db/images.ts'
import { answeredCheckpoints, objectWords } from '../db/namedObjects.ts'
import { closeWorkspace, openForReading, openWorkspace } from '../db/open.ts'
import { listRemovals, removeImages, restoreRemoval } from '../db/removals.ts'
import { listTags, renameTag, tagImages, untagImages } from '../db/tags.ts'
import type { Handlers } from '../worker/serveMethods.ts'

/** Which file, in which opening. */
interface Asked {
  readonly path: string
  readonly key: string
}

/** Each handler runs from begin to end without waiting, so questions and changes follow one another in the order they came. */
export function catalogueHandlers(): Handlers<typeof catalogueMethods> {
  let reading: { readonly key: string; readonly db: ReadableDb } | null = null

  function close(): void {
    if (reading) closeWorkspace(reading.db)
    reading = null
  }

  function read({ path, key }: Asked): ReadableDb {
    if (reading?.key === key) return reading.db
    close()
    reading = { key, db: openForReading(path) }
    return reading.db
  }

  function change<T>({ path }: Asked, work: (db: WritableDb) => T): T {
    const db = openWorkspace(path, { foldsLog: false })
    try {
      return work(db)
    } finally {
      closeWorkspace(db)
    }
  }

  return {
    count: async (asked) => ({ total: countImages(read(asked), asked.query) }),
    window: async (asked) => ({ images: imageWindow(read(asked), asked.query, asked.offset, asked.limit) }),
    words: async (asked) => ({ words: objectWords(read(asked), asked.checkpointId) }),
    checkpoints: async (asked) => answeredCheckpoints(read(asked)),
    tags: async (asked) => listTags(read(asked)),
    removals: async (asked) => listRemovals(read(asked)),
    tag: async (asked) => ({ images: change(asked, (db) => tagImages(db, asked.tag, asked.selection)) }),
    untag: async (asked) => ({ images: change(asked, (db) => untagImages(db, asked.tag, asked.selection)) }),
    async renameTag(asked) {
      change(asked, (db) => renameTag(db, asked.from, asked.to))
      return {}
    },
    remove: async (asked) => change(asked, (db) => removeImages(db, asked.selection, Date.now())),
    restore: async (asked) => ({ images: change(asked, (db) => restoreRemoval(db, asked.removalId)) }),
    async close() {
      close()
      return {}
    },
  }
}
