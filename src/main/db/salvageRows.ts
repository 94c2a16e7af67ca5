// The rows that can still be read in a damaged workspace, copied one by one into a new one: what cannot be read or is not
// what was stored is left out and counted. Before it stands salvage.ts, which repairs the schema that this reads by.
import type { Statement } from 'better-sqlite3'
import type { CheckpointId, RolloutId } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import type { Count, SalvageReport } from '../../shared/salvage.ts'
import { verifyCheckpoint } from './checkpoints.ts'
import { isCorruption, type WritableDb } from './connection.ts'
import { thumbnailOf } from './images.ts'
import { verifyResponse } from './rollouts.ts'
import { rowHash, type SqlValue, sha256 } from './rowHash.ts'
import { keptSeals, sealedColumns } from './seals.ts'

type Row = Record<string, SqlValue>

/** In the order in which rows refer to one another. */
const plainTables = [
  'setting',
  'session',
  'import',
  'image',
  'removed_image',
  'import_issue',
  'import_path',
  'import_left_out',
  'tag',
  'image_tag',
  'model',
  'run',
  'sweep',
] as const
const laterTables = ['look', 'run_job', 'run_absent_image', 'sweep_run', 'word'] as const
const lastTables = [
  ...['metric', 'evaluation', 'evaluation_value', 'evaluation_item', 'evaluation_answer', 'evaluation_concept'],
  'vote',
] as const

/** The rows of a damaged workspace, taken over into a new one of the same version. */
export class SalvagedRows {
  readonly #source: WritableDb
  readonly #target: WritableDb
  readonly #isSealed: boolean
  readonly #counts = new Map<string, Count>()
  readonly #changedTables: string[] = []

  /**
   * @param source a copy whose header and schema were repaired
   * @param target a new workspace at the source's version, without rows
   */
  constructor(source: WritableDb, target: WritableDb, version: number) {
    this.#source = source
    this.#target = target
    this.#isSealed = version >= 4
  }

  /** @throws StudioError and SQLite's errors when the target cannot be written */
  copyEverything(): void {
    for (const table of plainTables) this.#copyTable(table)
    this.#copyThumbnails()
    this.#copyTable('checkpoint', (row) => ({
      ...row,
      parent_id: this.#has('checkpoint', row['parent_id']) ? row['parent_id']! : null,
    }))
    this.#copyWeights()
    for (const table of laterTables) if (table === 'word' || this.#isSealed) this.#copyTable(table)
    this.#copyTable(
      'rollout',
      (row) => row,
      (row) => this.#copyResponse(row),
    )
    this.#copyTable('embedding', (row) => (this.#isSealed && !isEmbeddingSound(row) ? null : row))
    for (const table of lastTables) this.#copyTable(table)
  }

  /** What was kept and lost, by kinds that a person knows. */
  report(): Omit<SalvageReport, 'lostLastSteps'> {
    const count = (name: string): Count => this.#counts.get(name) ?? { kept: 0, lost: 0 }
    const named = ['image', 'run', 'rollout', 'weights', 'thumbnail', 'embedding']
    const others = [...this.#counts].filter(([name]) => !named.includes(name))
    return {
      images: count('image'),
      runs: count('run'),
      responses: count('rollout'),
      weights: count('weights'),
      thumbnails: count('thumbnail'),
      otherRows: {
        kept: others.reduce((sum, [, { kept }]) => sum + kept, 0),
        lost: others.reduce((sum, [, { lost }]) => sum + lost, 0),
      },
      changedTables: this.#changedTables,
    }
  }

  /** Copies the rows of a table that can be read and that fit; what `change` makes null is left out. */
  #copyTable(
    table: string,
    change: (row: Row) => Row | null = (row) => row,
    after: (row: Row) => boolean = () => true,
  ): void {
    const columns = this.#columns(table)
    // Another version's.
    if (columns.length === 0) return
    const keys = this.#keyColumns(table)
    const names = columns.join(', ')
    const seal = this.#isSealed ? this.#kept().get(table) : undefined
    const read = orUndefined(() =>
      this.#source.prepare<unknown[], Row>(
        `SELECT ${names} FROM ${table} NOT INDEXED WHERE ${keys.map((key) => `${key} = ?`).join(' AND ')}`,
      ),
    )
    if (!read) {
      this.#counts.set(table, { kept: 0, lost: seal?.rows ?? 0 })
      return
    }
    const insert = this.#insertInto(table)
    const sealed = this.#isSealed ? this.#sealed().get(table) : undefined
    const found = { rows: 0, sum: 0n }
    let kept = 0
    const allKeys = this.#keysOf(table, keys)
    for (const key of allKeys) {
      const row = orUndefined(() => read.get(...key))
      if (!row) continue
      found.rows++
      if (sealed) found.sum += BigInt(rowHash(...sealed.map((name) => row[name] as SqlValue)))
      const changed = change(row)
      if (changed && this.#attempt(() => insert.run(changed)) && after(changed)) kept++
    }
    this.#counts.set(table, { kept, lost: Math.max(0, (seal?.rows ?? allKeys.length) - kept) })
    if (sealed && seal?.rows === found.rows && seal.sum !== Number(found.sum)) this.#changedTables.push(table)
  }

  /** False when the row does not fit: what it belongs to is lost, or a value is none that the table takes. */
  #attempt(work: () => unknown): boolean {
    try {
      work()
      return true
    } catch (thrown) {
      if (/^SQLITE_(CONSTRAINT|MISMATCH)/.test(String((thrown as { code?: unknown }).code))) return false
      throw thrown
    }
  }

  /** Tokens and words of a response; false, and the response gone, when they are not what was stored. */
  #copyResponse(row: Row): boolean {
    const rolloutId = row['rollout_id'] as RolloutId
    const isWhole = orUndefined(() => {
      if (this.#isSealed) verifyResponse(this.#source, rolloutId)
      for (const table of ['token', 'span']) {
        const rows = this.#source.prepare<[number], Row>(`SELECT * FROM ${table} WHERE rollout_id = ?`).all(rolloutId)
        const insert = this.#insertInto(table)
        if (!rows.every((one) => this.#attempt(() => insert.run(one)))) return undefined
      }
      return true
    })
    if (!isWhole) this.#target.prepare('DELETE FROM rollout WHERE rollout_id = ?').run(rolloutId)
    return isWhole === true
  }

  #copyThumbnails(): void {
    const ids = this.#target.prepare<[], number>('SELECT image_id FROM image').pluck().all()
    const insert = this.#target.prepare('INSERT INTO thumbnail (image_id, bytes) VALUES (?, ?)')
    const select = 'SELECT bytes FROM thumbnail WHERE image_id = ?'
    const raw = (id: number) => this.#source.prepare<[number], Buffer>(select).pluck().get(id)
    let kept = 0
    for (const id of ids) {
      const bytes = orUndefined(() => (this.#isSealed ? thumbnailOf(this.#source, id) : raw(id)))
      if (bytes) kept += insert.run(id, bytes).changes
    }
    this.#counts.set('thumbnail', { kept, lost: ids.length - kept })
  }

  /** Weights of whole checkpoints: one with a damaged part is none that a run could go on from. */
  #copyWeights(): void {
    const ids = this.#target.prepare<[], CheckpointId>('SELECT checkpoint_id FROM checkpoint').pluck().all()
    const tables = this.#isSealed ? ['checkpoint_part', 'checkpoint_blob'] : ['checkpoint_blob']
    const count = { kept: 0, lost: 0 }
    for (const id of ids) {
      const select = `SELECT 1 FROM ${tables[0]} WHERE checkpoint_id = ? LIMIT 1`
      const isThere = orUndefined(() => this.#source.prepare(select).get(id) !== undefined)
      if (isThere === false) continue
      const isWhole = orUndefined(() => {
        if (this.#isSealed) verifyCheckpoint(this.#source, id)
        for (const table of tables) this.#copyOf(table, id)
        return true
      })
      if (isWhole) count.kept++
      else {
        count.lost++
        for (const table of tables) this.#target.prepare(`DELETE FROM ${table} WHERE checkpoint_id = ?`).run(id)
      }
    }
    this.#counts.set('weights', count)
  }

  #copyOf(table: string, id: CheckpointId): void {
    const insert = this.#insertInto(table)
    const rows = this.#source.prepare<[number], Row>(`SELECT * FROM ${table} WHERE checkpoint_id = ?`)
    for (const row of rows.iterate(id)) insert.run(row)
  }

  #has(table: string, id: SqlValue | undefined): boolean {
    return id != null && this.#target.prepare(`SELECT 1 FROM ${table} WHERE ${table}_id = ?`).get(id) !== undefined
  }

  #insertInto(table: string): Statement<[Row]> {
    const columns = this.#columns(table)
    const values = columns.map((name) => `@${name}`).join(', ')
    return this.#target.prepare<[Row]>(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${values})`)
  }

  #columns(table: string): string[] {
    return (this.#target.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name)
  }

  #keyColumns(table: string): string[] {
    const columns = this.#target.pragma(`table_info(${table})`) as { name: string; pk: number }[]
    const keys = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk)
    return keys.length > 0 ? keys.map(({ name }) => name) : ['rowid']
  }

  /**
   * The keys of all rows that can be found: from the front and, where that ends at a damaged page, from the back and by
   * each index, which find what stands between two of them.
   */
  #keysOf(table: string, keys: readonly string[]): SqlValue[][] {
    const found = new Map<string, SqlValue[]>()
    const names = keys.join(', ')
    const collect = (from: string): boolean => {
      try {
        for (const key of this.#source.prepare<[], SqlValue[]>(`SELECT ${names} FROM ${from}`).raw().iterate()) {
          found.set(JSON.stringify(key), key)
        }
        return true
      } catch (thrown) {
        if (isUnreadable(thrown)) return false
        throw thrown
      }
    }
    if (!collect(`${table} NOT INDEXED ORDER BY ${names}`)) {
      collect(`${table} NOT INDEXED ORDER BY ${keys.map((key) => `${key} DESC`).join(', ')}`)
      const indexes = (this.#target.pragma(`index_list(${table})`) as { name: string; partial: 0 | 1 }[]).filter(
        ({ name, partial }) => partial === 0 && !name.startsWith('sqlite_autoindex'),
      )
      for (const { name } of indexes) collect(`${table} INDEXED BY ${name}`)
    }
    return [...found.values()]
  }

  #sealed(): ReadonlyMap<string, readonly string[]> {
    return sealedColumns(this.#target)
  }

  #kept(): ReturnType<typeof keptSeals> {
    return orUndefined(() => keptSeals(this.#source)) ?? new Map()
  }
}

function isEmbeddingSound(row: Row): boolean {
  return row['sha256'] instanceof Uint8Array && sha256(row['vector'] as Uint8Array).equals(row['sha256'])
}

/** What `work` gives, or undefined when the file cannot be read there or holds something else than was stored. */
function orUndefined<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (thrown) {
    const isDamage = thrown instanceof StudioError && /\.damaged/.test(thrown.code)
    if (isDamage || isUnreadable(thrown)) return undefined
    throw thrown
  }
}

/** SQLite says also of a damaged row that it does not know a type, or that a text is no JSON. */
function isUnreadable(thrown: unknown): boolean {
  return isCorruption(thrown) || (thrown as { code?: unknown } | null)?.code === 'SQLITE_ERROR'
}
