// The grid's queries on 100,000 images: right, by index alone, and quick at any place in the order.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allImages, type ImageQuery, imageSorts } from '../../shared/domain.ts'
import { preparedSql, statement, type WritableDb } from './connection.ts'
import { countImages, imageFacts, imageWindow, insertImage, originalOf, thumbnailOf } from './images.ts'
import { createImport, importIssues, listImports, storeBatch } from './imports.ts'
import { closeWorkspace, createWorkspace, openWorkspace } from './open.ts'
import { seedLibrary } from './testing/seedLibrary.ts'

const count = 100_000
const folder = mkdtempSync(join(tmpdir(), 'fisao-images-'))
let db: WritableDb

beforeAll(() => {
  const path = join(folder, 'large.fisao')
  createWorkspace(path)
  db = openWorkspace(path)
  seedLibrary(db, count, [Buffer.from('one'), Buffer.from('two')])
  // Two responses of one checkpoint, one with a hallucination; and a tag.
  db.exec(`
    INSERT INTO model VALUES (1, '/model', 'm', '{}', zeroblob(32), NULL, NULL, 0);
    INSERT INTO run VALUES (1, 1, 'r', 'quick', '{}', 1, 'complete', NULL, NULL, 0, 0, 0);
    INSERT INTO checkpoint VALUES (1, 1, NULL, 0, '{}', '{}', 0, 0, 0);
    INSERT INTO rollout (rollout_id, run_id, checkpoint_id, image_id, purpose, step, prompt, text, lowest_score,
        hallucinated_words, created_ms, content_sum)
      VALUES (1, 1, 1, 500, 'evaluation', 0, 'Describe.', 'A zebra beside two horses.', -0.5, 2, 0, 0),
        (2, 1, 1, 400, 'evaluation', 0, 'Describe.', 'A boat.', 0.25, 0, 0, 0);
    INSERT INTO tag VALUES (1, 'good');
    INSERT INTO image_tag VALUES (1, 600);
    ANALYZE;`)
})
afterAll(() => {
  closeWorkspace(db)
  rmSync(folder, { recursive: true, force: true })
})

const query = (change: Partial<ImageQuery>): ImageQuery => ({ ...allImages, ...change })
const ids = (change: Partial<ImageQuery>, offset = 0, limit = 10): number[] =>
  imageWindow(db, query(change), offset, limit).map(({ imageId }) => imageId)

test('the facts of one image, and of none', () => {
  expect(imageFacts(db, 500)).toMatchObject({ imageId: 500, width: 640, height: 480, sizeBytes: 1499, format: 'jpeg' })
  expect(imageFacts(db, count + 1)).toBeUndefined()
})

describe('the order of images', () => {
  test('newest first', () => {
    expect(ids({}, 0, 3)).toEqual([100_000, 99_999, 99_998])
    expect(ids({}, 99_999, 5)).toEqual([1])
  })

  test('by name', () => {
    const names = imageWindow(db, query({ sort: 'name' }), 50_000, 300).map(({ name }) => name)
    expect(names).toHaveLength(300)
    expect(names).toEqual([...names].sort())
    expect(names[0]).toBe('photo-050000.jpg')
  })

  test('lowest score first, of those with a response', () => {
    expect(ids({ sort: 'lowest-score', checkpointId: 1 })).toEqual([500, 400])
    expect(imageWindow(db, query({ sort: 'lowest-score', checkpointId: 1 }), 0, 1)[0]).toMatchObject({
      lowestScore: -0.5,
      hallucinatedWords: 2,
    })
  })
})

describe('which images', () => {
  test.each([
    ['part of a name', { search: '012345' }, 1],
    ['the beginning of a name, two letters', { search: 'ph' }, count],
    ['what looks like an operator', { search: '" OR *' }, 0],
    ['words of a response', { search: 'horse', checkpointId: 1 }, 1],
    ['with a hallucination', { responses: 'with-hallucination', checkpointId: 1 }, 1],
    ['not yet run', { responses: 'none', checkpointId: 1 }, count - 2],
    ['a tag, whatever its case', { tag: 'Good' }, 1],
  ] as const)('%s', (_name, change, expected) => {
    expect(countImages(db, query(change))).toBe(expected)
    expect(ids(change)).toHaveLength(Math.min(10, expected))
  })
})

describe('one image', () => {
  test('its thumbnail and original', () => {
    expect(thumbnailOf(db, 2)?.toString()).toBe('two')
    expect(originalOf(db, 1)).toEqual({ path: '/seeded/0/0-photo-000000.jpg', format: 'jpeg' })
    expect([thumbnailOf(db, count + 1), originalOf(db, count + 1)]).toEqual([undefined, undefined])
  })

  test('a damaged thumbnail is missing, not another picture', () => {
    db.exec("UPDATE thumbnail SET bytes = x'6f6e66' WHERE image_id = 3")
    expect([thumbnailOf(db, 3), thumbnailOf(db, 4)?.toString()]).toEqual([undefined, 'two'])
  })

  test('the same path or the same bytes are not stored twice', () => {
    const importId = createImport(db, '/again', 1)
    const base = {
      importId,
      name: 'x',
      sizeBytes: 1,
      modifiedMs: 1,
      width: 1,
      height: 1,
      format: 'png' as const,
      thumbnail: Buffer.of(1),
    }
    const first = { ...base, path: '/again/x', sha256: Buffer.alloc(32, 9) }
    expect(insertImage(db, first, 1)).toBeTypeOf('number')
    expect(insertImage(db, { ...first, sha256: Buffer.alloc(32, 8) }, 1)).toBeNull()
    expect(insertImage(db, { ...first, path: '/again/y' }, 1)).toBeNull()
    const issue = { path: '/again/y', code: 'duplicate' as const, message: 'again' }
    storeBatch(db, importId, [{ image: { ...first, path: '/again/y' } }], () => issue, 1)
    expect(importIssues(db, importId, 0, 10)).toEqual({ total: 1, issues: [issue] })
    expect(listImports(db)[0]).toMatchObject({ importId, added: 1, skipped: 1, state: 'running' })
  })
})

describe('at the size of a large lab', () => {
  test('a window at the far end takes a few milliseconds', () => {
    for (const sort of imageSorts) {
      imageWindow(db, query({ sort, checkpointId: 1 }), 0, 200)
      const startMs = performance.now()
      for (let i = 0; i < 10; i++) imageWindow(db, query({ sort, checkpointId: 1 }), 99_000, 200)
      // Measured: 1.5 ms by newest, 3.5 ms by name. The bound leaves room for a busy machine.
      expect((performance.now() - startMs) / 10).toBeLessThan(40)
    }
  })

  test('no statement walks over a table that grows', () => {
    const grows = [
      'image',
      'rollout',
      'token',
      'span',
      'metric',
      'thumbnail',
      'import_issue',
      'checkpoint_blob',
      'shown_response',
      'response',
      'other',
    ]
    const scans = preparedSql(db).flatMap((sql) =>
      planOf(sql)
        .filter((step) => grows.some((table) => new RegExp(`^SCAN ${table}\\b(?!.*INDEX)`).test(step)))
        .map((step) => `${step}: ${sql}`),
    )
    // Newest first is the order of the table itself; its walk stops at the end of the window.
    const intended = scans.filter((scan) => !scan.includes('ORDER BY image.image_id DESC'))
    expect(intended).toEqual([])
  })

  function planOf(sql: string): string[] {
    const parameters = Object.fromEntries([...sql.matchAll(/@(\w+)/g)].map((match) => [match[1], null]))
    const places = (sql.match(/\?/g) ?? []).map(() => null)
    const explain = statement<unknown[], { detail: string }>(db, `EXPLAIN QUERY PLAN ${sql}`)
    const rows =
      places.length > 0
        ? explain.all(...places)
        : explain.all(...(Object.keys(parameters).length > 0 ? [parameters] : []))
    return rows.map(({ detail }) => detail)
  }
})
