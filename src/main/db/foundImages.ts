// Which images a search finds, as one byte an image. Made at the first question with these words and kept as long as nothing
// is written, so that each count and window looks at a byte as it walks, in place of making a set of up to every image again.
// Before it stands imageQuery.ts.
import { type ReadableDb, statement } from './connection.ts'

/** Of a response that the library shows for a checkpoint. */
export const shown = "checkpoint_id = @checkpointId AND purpose = 'evaluation'"

/** True where a search finds the image, with what {@link foundImages} gives as @found. An id beyond its end is none. */
export function isFound(imageId: string): string {
  return isMarked('@found', imageId)
}

/** Searches whose images are kept for a connection: so many of the last ones, and bytes unless the very last has more. */
const mostSearches = 8
const mostBytes = 16 * 1024 * 1024

interface Kept {
  /** The state of the workspace that they were made from. */
  readonly version: string
  /** By search and checkpoint, the one that was asked for last at the end. */
  readonly images: Map<string, Buffer>
}

const keptFor = new WeakMap<ReadableDb, Kept>()

/**
 * The images that a search finds: byte i is 1 when image i is among them.
 * @param search not blank
 * @param checkpointId whose responses are searched beside the names of the images
 */
export function foundImages(db: ReadableDb, search: string, checkpointId: number | null): Buffer {
  const version = versionOf(db)
  const before = keptFor.get(db)
  const kept = before?.version === version ? before : { version, images: new Map<string, Buffer>() }
  const key = JSON.stringify([search.trim(), checkpointId])
  const found = kept.images.get(key) ?? findImages(db, search.trim(), checkpointId)
  // A transaction may be rolled back, and what it found is true of no version then.
  if (db.inTransaction) return found
  keptFor.set(db, kept)
  kept.images.delete(key)
  kept.images.set(key, found)
  dropOldest(kept.images)
  return found
}

/** Another one after each commit, by this connection or any other. */
function versionOf(db: ReadableDb): string {
  const own = statement<[], { changes: number }>(db, 'SELECT total_changes() AS changes').get()
  return `${db.pragma('data_version', { simple: true })} ${own?.changes}`
}

function dropOldest(images: Map<string, Buffer>): void {
  let bytes = [...images.values()].reduce((sum, { length }) => sum + length, 0)
  for (const [key, { length }] of images) {
    if (images.size === 1 || (images.size <= mostSearches && bytes <= mostBytes)) return
    images.delete(key)
    bytes -= length
  }
}

function findImages(db: ReadableDb, text: string, checkpointId: number | null): Buffer {
  const named = imagesNamed(db, text)
  return marked([named, checkpointId === null ? [] : imagesAnswered(db, text, checkpointId)])
}

/** The trigram index of names finds three characters and more, whatever the case of any letter. */
const fewestIndexedCharacters = 3

/** Names are read from end to end for shorter parts, and for ASCII, where LIKE finds the same in no more time. */
function imagesNamed(db: ReadableDb, text: string): readonly number[] {
  if ([...text].length >= fewestIndexedCharacters && !isAscii(text)) {
    const sql = 'SELECT json_group_array(rowid) AS ids FROM image_name_search WHERE image_name_search MATCH @phrase'
    return idsOf(db, sql, { phrase: quoted(text) })
  }
  const parts = spellings(text).map((part, i) => [`part${i}`, `%${part.replaceAll(/[\\%_]/g, '\\$&')}%`])
  const isPart = parts.map(([name]) => `name LIKE @${name} ESCAPE '\\'`).join(' OR ')
  const sql = `SELECT json_group_array(image_id) AS ids FROM image AS read_name WHERE ${isPart}`
  return idsOf(db, sql, Object.fromEntries(parts))
}

/** Images with a shown response that holds all words; the last may still be being typed. */
function imagesAnswered(db: ReadableDb, text: string, checkpointId: number): readonly number[] {
  const words = `${text.split(/\s+/).map(quoted).join(' ')} *`
  const search = 'SELECT json_group_array(rowid) AS ids FROM response_search WHERE response_search MATCH @words'
  const responses = idsOf(db, search, { words })
  if (responses.length === 0) return responses
  // Only the checkpoint's part of an index is walked; the responses themselves are not read.
  const sql = `SELECT json_group_array(image_id) AS ids FROM rollout INDEXED BY rollout_by_checkpoint
    WHERE ${shown} AND ${isMarked('@responses', 'rollout_id')}`
  return idsOf(db, sql, { checkpointId, responses: marked([responses]) })
}

/** Ids come as one JSON text: a hundred thousand rows would cost more to hand over than to find. */
function idsOf(db: ReadableDb, sql: string, parameters: Readonly<Record<string, unknown>>): readonly number[] {
  return JSON.parse(statement<object, { ids: string }>(db, sql).get(parameters)?.ids ?? '[]')
}

/** Byte i is 1 when i is among the ids. */
function marked(lists: readonly (readonly number[])[]): Buffer {
  const last = lists.reduce((most, ids) => ids.reduce((a, b) => Math.max(a, b), most), -1)
  const bytes = Buffer.alloc(last + 1)
  for (const ids of lists) for (const id of ids) bytes[id] = 1
  return bytes
}

function isMarked(bytes: string, id: string): string {
  return `substr(${bytes}, ${id} + 1, 1) = x'01'`
}

/** LIKE knows the case of ASCII letters alone. */
function spellings(text: string): string[] {
  return isAscii(text) ? [text] : [...new Set([text, text.toLowerCase(), text.toUpperCase()])]
}

function isAscii(text: string): boolean {
  return /^[\0-\x7f]*$/.test(text)
}

/** Quoted text has no operators: whatever a person types is looked for as it stands. */
function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}
