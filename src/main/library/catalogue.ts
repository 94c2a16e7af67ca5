// The library's questions and small changes over a workspace file: a connection that reads and stays open from question to
// question, and one that writes for each change. Before it stands main (app/catalogue.ts), after it db.
import type { catalogueMethods } from '../../shared/workerProtocol.ts'
import type { ReadableDb, WritableDb } from '../db/connection.ts'
import { countImages, imageWindow } from '../db/images.ts'
import { answeredCheckpoints, objectWords } from '../db/namedObjects.ts'
import { closeWorkspace, openForReading, openWorkspace } from '../db/open.ts'
import { deletionOf, listRemovals, removeImages, restoreRemoval } from '../db/removals.ts'
import { listTags, renameTag, tagImages, untagImages } from '../db/tags.ts'
import type { Handlers } from '../worker/serveMethods.ts'

/** Which file, in which opening. */
interface Asked {
  readonly path: string
  readonly key: string
}

/** Changes of tags that can be undone, by their number: so many of the last ones. */
const mostUndone = 16
interface TagsChanged {
  readonly tag: string
  readonly imageIds: readonly number[]
  readonly isTaken: boolean
}

/** Each handler runs from begin to end without waiting, so questions and changes follow one another in the order they came. */
export function catalogueHandlers(): Handlers<typeof catalogueMethods> {
  let reading: { readonly key: string; readonly db: ReadableDb } | null = null

  let changed: { key: string; readonly tags: Map<number, TagsChanged> } = { key: '', tags: new Map() }
  let nextChange = 1

  function close(): void {
    if (reading) closeWorkspace(reading.db)
    reading = null
  }

  /** Remembers a change for as long as its opening lasts. */
  function noteTags(key: string, change: TagsChanged): { images: number; changeId: number | null } {
    const images = change.imageIds.length
    if (images === 0) return { images, changeId: null }
    if (changed.key !== key) changed = { key, tags: new Map() }
    const changeId = nextChange++
    changed.tags.set(changeId, change)
    changed.tags.delete(changeId - mostUndone)
    return { images, changeId }
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
    deletion: async (asked) => deletionOf(read(asked), asked.removalId),
    async tag(asked) {
      const imageIds = change(asked, (db) => tagImages(db, asked.tag, asked.selection))
      return noteTags(asked.key, { tag: asked.tag, imageIds, isTaken: false })
    },
    async untag(asked) {
      const imageIds = change(asked, (db) => untagImages(db, asked.tag, asked.selection))
      return noteTags(asked.key, { tag: asked.tag, imageIds, isTaken: true })
    },
    async undoTags(asked) {
      const known = changed.key === asked.key ? changed.tags.get(asked.changeId) : undefined
      if (!known) return { images: 0 }
      const { tag, imageIds, isTaken } = known
      const undo = isTaken ? tagImages : untagImages
      changed.tags.delete(asked.changeId)
      return { images: change(asked, (db) => undo(db, tag, { imageIds: [...imageIds] })).length }
    },
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
