// Migrations: from version N-1 with rows to N without losing one, in one transaction, and never edited once landed.
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { allImages, type CheckpointId, type RolloutId, type RunId } from '../../shared/domain.ts'
import { listBackups } from './backup.ts'
import { checkpointPart } from './checkpoints.ts'
import { applicationId, connect, type WritableDb } from './connection.ts'
import { embeddingOf } from './embeddings.ts'
import { countImages, imagesBegunWith, thumbnailOf } from './images.ts'
import { jobOf, storeJob } from './jobs.ts'
import { currentVersion, migrate, schemaVersion } from './migrate.ts'
import { migrations } from './migrations/index.ts'
import { prepareWorkspace } from './open.ts'
import { responseById } from './rollouts.ts'
import { deleteRun } from './runs.ts'
import { brokenSeals } from './seals.ts'
import { listSweeps, runsOfSweep, sweepOfRun } from './sweeps.ts'

let folder = ''
let db: WritableDb
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fisao-migrate-'))
  db = connect(join(folder, 'old.fisao'), { create: true })
  db.pragma(`application_id = ${applicationId}`)
})
afterEach(() => {
  db.close()
  rmSync(folder, { recursive: true, force: true })
})

/** The rows of tables, of those columns that the tables have now. */
function rowsOf(tables: readonly string[]): () => unknown[] {
  const selects = tables.map((table) => {
    const columns = (db.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name)
    return `SELECT ${columns.join(', ')} FROM ${table}`
  })
  return () => selects.map((select) => db.prepare(select).all())
}

/** SHA-256 of each landed migration. A new one is added here; a line that stands never changes. */
const landed: Readonly<Record<number, string>> = {
  1: '3ca23dde3f8d6e37e76a1a3d70cec4523b7991394f77fbb13628b24ca4d404d0',
  2: 'fc08399a60dca5384f5793e22207529afa733df3b13e13ca73e68e9327165b02',
  3: '1f8820b20b5c50ea20ea22891dfc1f0c21963c0c072ee7d910e46b08fe72b7b6',
  4: '91d908694476fa86776f1d080e8cfefa005ce66a78fa340067363ace29a8a592',
  5: '2ab9f7112e63917f3c8fa2677ed5b3a5d8f96dd7c5c840e9f6ecd0981fd4fc37',
  6: '0a36edab294fca5e76c6fec968f3f98fc908fe1a8d300e0e1d0bb1e9d126db3d',
  7: '42920f47c9b7a60267955939b8efec0f58f1d8e56ac1372c42e30bef95f27802',
  8: '4647c2290dc3ee41d11e9dd605a8e0122f68a68568feee7c35d7a0b881dc18d3',
  9: 'cb506bc1c796a32cf1344157e196204f02695b0da354fbc7dda80bba0c111fb3',
}

test.each(migrations)('migration $version ($name) is as it landed', ({ version, sql }) => {
  expect(createHash('sha256').update(sql).digest('hex')).toBe(landed[version])
})

test('their numbers run from 1 without a gap', () => {
  expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1))
})

test('1 to 2 keeps settings, images, thumbnails, issues and tags', async () => {
  migrate(db, migrations.slice(0, 1))
  expect(schemaVersion(db)).toBe(1)
  db.exec(`
    INSERT INTO setting VALUES ('prompt', '"Describe."');
    INSERT INTO session VALUES (1, 5, 6, '0.1.0');
    INSERT INTO import VALUES (1, '/pictures', 'complete', 1, 2);
    INSERT INTO image VALUES (7, 1, '/pictures/a cat.jpg', 'a cat.jpg', 10, 3, zeroblob(32), 4, 5, 'jpeg', 6);
    INSERT INTO thumbnail VALUES (7, x'00ff');
    INSERT INTO import_issue VALUES (1, '/pictures/b.jpg', 'empty', 'The file is empty (0 bytes).');
    INSERT INTO tag VALUES (1, 'Cats');
    INSERT INTO image_tag VALUES (1, 7);`)
  const rows = rowsOf(['setting', 'session', 'import', 'image', 'thumbnail', 'import_issue', 'tag', 'image_tag'])
  const before = rows()

  await prepareWorkspace(join(folder, 'old.fisao'))

  expect(schemaVersion(db)).toBe(currentVersion)
  expect(rows()).toEqual(before)
  expect(db.prepare("SELECT rowid FROM image_name_search WHERE image_name_search MATCH 'cat'").all()).toEqual([
    { rowid: 7 },
  ])
  expect(db.prepare('SELECT count(*) AS n FROM run').get()).toEqual({ n: 0 })
  const [backup] = listBackups(join(folder, 'old.fisao'))
  expect(existsSync(backup?.path ?? '')).toBe(true)
  // The backup that was taken before is of the old version, with its rows.
  const old = connect(backup?.path ?? '')
  expect([schemaVersion(old), old.prepare('SELECT count(*) AS n FROM image').get()]).toEqual([1, { n: 1 }])
  old.close()
})

test('2 to 3 keeps models, runs, checkpoints and responses with their tokens, spans and votes', async () => {
  migrate(db, migrations.slice(0, 2))
  expect(schemaVersion(db)).toBe(2)
  db.exec(`
    INSERT INTO import VALUES (1, '/pictures', 'complete', 1, 2);
    INSERT INTO image VALUES (7, 1, '/pictures/a.jpg', 'a.jpg', 10, 3, zeroblob(32), 4, 5, 'jpeg', 6);
    INSERT INTO model VALUES (1, '/model', 'm', '{}', zeroblob(32), NULL, 1, 0);
    INSERT INTO run VALUES (1, 1, 'r', 'quick', '{}', 1, 'complete', '{"margin":0}', NULL, 0, 0, 0);
    INSERT INTO checkpoint VALUES (1, 1, NULL, 0, '{}', '{}', 0, 0), (2, 1, 1, 8, '{}', '{}', 1, 1);
    INSERT INTO checkpoint_blob VALUES (2, 'adapter', 0, x'00ff');
    INSERT INTO rollout VALUES (1, 1, 1, 7, 'evaluation', 0, 'Describe.', 'A zebra.', -0.5, 1, 0);
    INSERT INTO rollout VALUES (2, 1, 2, 7, 'evaluation', 8, 'Describe.', 'A horse.', 0.25, 0, 0);
    INSERT INTO token VALUES (1, 0, 5, 0, 1, -0.1, -0.2, 0), (1, 1, 6, 2, 7, -0.3, -0.4, -0.6);
    INSERT INTO word VALUES (1, 'zebra');
    INSERT INTO span VALUES (1, 1, 2, 1, -0.5, -0.6, 'hallucinated');
    INSERT INTO metric VALUES (1, 'reward', 1, 0.5);
    INSERT INTO vote VALUES (1, 1, 2, 'right', 0);`)
  const run = ['model', 'run', 'checkpoint', 'checkpoint_blob', 'rollout', 'token', 'word', 'span', 'metric']
  const rows = rowsOf([...run, 'vote'])
  const before = rows()

  await prepareWorkspace(join(folder, 'old.fisao'))

  expect(schemaVersion(db)).toBe(currentVersion)
  expect(rows()).toEqual(before)
  expect(db.prepare("SELECT rowid FROM response_search WHERE response_search MATCH 'horses'").all()).toEqual([
    { rowid: 2 },
  ])
})

test('3 to 4 parts looks from cursors, seals every row and hashes what is stored as bytes', async () => {
  migrate(db, migrations.slice(0, 3))
  const look = '{"step":8,"hallucinationRate":0.1000000000000000055511151231257827,"meanWords":16.5}'
  const looks = `[{"step":0,"hallucinationRate":1e-7},${look}]`
  db.exec(`
    INSERT INTO import VALUES (1, '/pictures', 'complete', 1, 2);
    INSERT INTO image VALUES (7, 1, '/pictures/a.jpg', 'a.jpg', 10, 3, zeroblob(32), 4, 5, 'jpeg', 6);
    INSERT INTO thumbnail VALUES (7, x'00ff');
    INSERT INTO model VALUES (1, '/model', 'm', '{}', zeroblob(32), NULL, 1, 0);
    INSERT INTO run VALUES (1, 1, 'r', 'quick', '{}', 1, 'paused', '{"margin":0}', NULL, 0, 0, NULL);
    INSERT INTO checkpoint VALUES
      (1, 1, NULL, 0, '{"policy":{"a":1.0},"looks":[],"seed":3}', '{"look":{"step":0,"hallucinationRate":1e-7}}', 0, 0),
      (2, 1, 1, 8, '{"policy":{"a":0.1},"looks":${looks},"seed":3}', '{"look":${look},"klNats":0.25}', 1, 1);
    INSERT INTO checkpoint_blob VALUES (2, 'adapter', 1, x'ff'), (2, 'adapter', 0, zeroblob(1048576)), (2, 'head', 0, x'');
    INSERT INTO rollout VALUES (1, 1, 2, 7, 'evaluation', 8, 'Describe.', 'A zebra.', -0.5, 1, 0);
    INSERT INTO token VALUES (1, 0, 5, 0, 1, -0.1, -0.2, 0), (1, 1, 6, 2, 7, -0.3, NULL, -0.6);
    INSERT INTO word VALUES (4, 'zebra');
    INSERT INTO span VALUES (1, 1, 2, 4, -0.5, -0.6, 'hallucinated');
    INSERT INTO embedding VALUES (zeroblob(32), 'text', zeroblob(32), x'0000803f');
    INSERT INTO metric VALUES (1, 'reward', 1, 0.5);`)
  const rows = rowsOf(['import', 'image', 'thumbnail', 'model', 'run', 'checkpoint_blob', 'rollout', 'token', 'span'])
  const before = rows()

  await prepareWorkspace(join(folder, 'old.fisao'))

  expect(rows()).toEqual(before)
  // Numbers keep their digits, keys their order.
  expect(db.prepare('SELECT * FROM look').all()).toEqual([
    { run_id: 1, step: 0, figures: '{"step":0,"hallucinationRate":1e-7}' },
    { run_id: 1, step: 8, figures: look },
  ])
  expect(db.prepare('SELECT cursor, summary FROM checkpoint').all()).toEqual([
    { cursor: '{"policy":{"a":1.0},"seed":3}', summary: '{}' },
    { cursor: '{"policy":{"a":0.1},"seed":3}', summary: '{"klNats":0.25}' },
  ])
  const weights = new Uint8Array(1_048_577)
  weights[1_048_576] = 255
  expect(Buffer.compare(checkpointPart(db, 2 as CheckpointId, 'adapter'), weights)).toBe(0)
  expect(checkpointPart(db, 2 as CheckpointId, 'head')).toEqual(new Uint8Array())
  expect(responseById(db, 1 as RolloutId)?.tokens[1]).toMatchObject({ logProb: -0.3, referenceLogProb: null })
  expect(thumbnailOf(db, 7)).toEqual(Buffer.of(0, 255))
  const key = { encoderSha256: Buffer.alloc(32), kind: 'text' as const, subjectSha256: Buffer.alloc(32) }
  expect(embeddingOf(db, key)).toEqual(Float32Array.of(1))
  expect(brokenSeals(db)).toEqual([])
})

test('4 to 5 keeps runs and their steps, which have no job then, and seals the jobs that come', async () => {
  migrate(db, migrations.slice(0, 4))
  db.exec(`
    INSERT INTO model VALUES (1, '/model', 'm', '{}', zeroblob(32), NULL, 1, 0);
    INSERT INTO run VALUES (1, 1, 'r', 'quick', '{"a":1.0}', 1, 'paused', '{"margin":0}', NULL, 0, 0, NULL);
    INSERT INTO checkpoint VALUES (1, 1, NULL, 0, '{}', '{}', 0, 0);
    INSERT INTO look VALUES (1, 0, '{"step":0}');
    INSERT INTO metric VALUES (1, 'reward', 1, 0.5);`)
  const rows = rowsOf(['model', 'run', 'checkpoint', 'look', 'metric', 'seal'])
  const before = rows()

  await prepareWorkspace(join(folder, 'old.fisao'))

  expect(schemaVersion(db)).toBe(currentVersion)
  const [seals, ...others] = rows().reverse() as [unknown[], ...unknown[][]]
  expect(others.reverse()).toEqual(before.slice(0, -1))
  // Those of tables that a later version changed are compared there.
  const changed = ['checkpoint', 'evaluation_value']
  const standing = (before.at(-1) as { table_name: string }[]).filter(({ table_name: name }) => !changed.includes(name))
  expect(seals).toEqual(
    expect.arrayContaining([...standing, expect.objectContaining({ table_name: 'run_job', row_count: 0 })]),
  )
  const runId = 1 as RunId
  expect(jobOf(db, runId)).toBeUndefined()
  storeJob(db, runId, { job: { kind: 'align' }, lastImageId: 3 })
  storeJob(db, runId, { job: { kind: 'align', device: 'cpu' }, lastImageId: 4 })
  expect(jobOf(db, runId)).toEqual({ job: { kind: 'align', device: 'cpu' }, lastImageId: 4 })
  expect(brokenSeals(db)).toEqual([])
  deleteRun(db, runId)
  expect([jobOf(db, runId), brokenSeals(db)]).toEqual([undefined, []])
})

test('5 to 6 keeps responses with tokens, spans, votes and search, and tells how those of looks were asked', async () => {
  migrate(db, migrations.slice(0, 5))
  db.exec(`
    INSERT INTO import VALUES (1, '/pictures', 'complete', 1, 2);
    INSERT INTO image VALUES (7, 1, '/pictures/a.jpg', 'a.jpg', 10, 3, zeroblob(32), 4, 5, 'jpeg', 6, zeroblob(32));
    INSERT INTO model VALUES (1, '/model', 'm', '{}', zeroblob(32), NULL, 1, 0);
    INSERT INTO run VALUES (1, 1, 'r', 'quick', '{"evaluation":{"strength":0.5}}', 1, 'paused', NULL, NULL, 0, 0, NULL);
    INSERT INTO checkpoint VALUES (1, 1, NULL, 0, '{}', '{}', 0, 0), (2, 1, 1, 8, '{}', '{}', 1, 1);
    INSERT INTO rollout VALUES (1, 1, NULL, 7, 'training', 8, 'Describe.', 'A zebra.', -0.5, 1, 0, 5);
    INSERT INTO rollout VALUES (2, 1, 2, 7, 'evaluation', 8, 'Describe.', 'A horse.', 0.25, 0, 0, 6);
    INSERT INTO token VALUES (1, 0, 5, 0, 1, -0.1, -0.2, 0), (2, 0, 6, 0, 1, -0.3, -0.4, -0.6);
    INSERT INTO word VALUES (1, 'zebra');
    INSERT INTO span VALUES (1, 0, 1, 1, -0.5, -0.6, 'hallucinated');
    INSERT INTO vote VALUES (1, 1, 2, 'right', 0);`)
  const rows = rowsOf(['run', 'checkpoint', 'rollout', 'token', 'span', 'vote', 'model'])
  const before = rows()

  await prepareWorkspace(join(folder, 'old.fisao'))

  expect(schemaVersion(db)).toBe(currentVersion)
  expect(rows()).toEqual(before)
  expect(db.prepare('SELECT strength, judged, model_id, decoding, region FROM rollout').raw().all()).toEqual([
    [1, 1, null, null, null],
    [0.5, 1, null, null, null],
  ])
  expect(db.prepare('SELECT kept FROM checkpoint').pluck().all()).toEqual([0, 0])
  expect(db.prepare("SELECT rowid FROM response_search WHERE response_search MATCH 'horses'").all()).toEqual([
    { rowid: 2 },
  ])
  expect(brokenSeals(db)).toEqual([])
  db.exec("UPDATE rollout SET strength = 0.25 WHERE rollout_id = 1; INSERT INTO word VALUES (2, 'cat')")
  expect(brokenSeals(db)).toEqual([])
  deleteRun(db, 1 as RunId)
  expect(db.prepare('SELECT (SELECT count(*) FROM rollout) + (SELECT count(*) FROM token)').pluck().get()).toBe(0)
  expect([brokenSeals(db), db.pragma('integrity_check')]).toEqual([[], [{ integrity_check: 'ok' }]])
})

test('6 to 7 finds the objects that responses name, and keeps responses, runs and images', async () => {
  migrate(db, migrations.slice(0, 6))
  db.exec(`
    INSERT INTO import VALUES (1, '/pictures', 'complete', 1, 2);
    INSERT INTO image VALUES (7, 1, '/pictures/a.jpg', 'a.jpg', 10, 3, zeroblob(32), 4, 5, 'jpeg', 6, NULL);
    INSERT INTO model VALUES (1, '/model', 'm', '{}', zeroblob(32), NULL, 1, 0);
    INSERT INTO run VALUES (1, 1, 'r', 'quick', '{}', 1, 'paused', NULL, NULL, 0, 0, NULL);
    INSERT INTO run_job VALUES (1, '{}', 7);
    INSERT INTO checkpoint VALUES (1, 1, NULL, 0, '{}', '{}', 0, 0, 0);
    INSERT INTO rollout (rollout_id, run_id, checkpoint_id, image_id, purpose, step, prompt, text, lowest_score,
        hallucinated_words, created_ms, content_sum)
      VALUES (1, 1, 1, 7, 'evaluation', 0, 'Describe.', 'A zebra, a zebra.', -0.5, 2, 0, 0),
        (2, 1, NULL, 7, 'training', 0, 'Describe.', 'A dog.', 0.5, 0, 0, 0);
    INSERT INTO word VALUES (4, 'zebra'), (5, 'dog'), (6, 'grass');
    INSERT INTO span VALUES (1, 1, 2, 4, -0.5, 0, 'hallucinated'), (1, 3, 4, 4, -0.5, 0, 'hallucinated'),
      (1, 5, 6, 6, 0.5, 0, 'grounded'), (2, 1, 2, 5, 0.5, 0, 'grounded');`)
  const rows = rowsOf(['import', 'image', 'model', 'run', 'run_job', 'checkpoint', 'rollout', 'word', 'span'])
  const before = rows()

  await prepareWorkspace(join(folder, 'old.fisao'))

  expect(rows()).toEqual(before)
  const named = db.prepare('SELECT word_id, label, image_id, times FROM named_object').raw().all()
  expect(named).toEqual([
    [0, 1, 7, 1],
    [0, 2, 7, 2],
    [4, 2, 7, 2],
    [6, 1, 7, 1],
  ])
  const query = { ...allImages, checkpointId: 1 }
  expect(countImages(db, { ...query, word: { text: 'zebra', label: 'hallucinated' } })).toBe(1)
  expect(countImages(db, { ...query, word: { text: 'dog', label: 'any' } })).toBe(0)
  expect(imagesBegunWith(db, 1 as RunId, 7)).toHaveLength(1)
  expect(brokenSeals(db)).toEqual([])
})

test('evaluations come with votes as they were, whose pairs may be without a choice from then on', async () => {
  migrate(db, migrations.slice(0, 7))
  db.exec(`
    INSERT INTO import VALUES (1, '/pictures', 'complete', 1, 2);
    INSERT INTO image VALUES (7, 1, '/pictures/a.jpg', 'a.jpg', 10, 3, zeroblob(32), 4, 5, 'jpeg', 6, zeroblob(32));
    INSERT INTO model VALUES (1, '/model', 'm', '{}', zeroblob(32), NULL, 1, 0);
    INSERT INTO rollout (rollout_id, model_id, image_id, purpose, step, prompt, text, created_ms)
      VALUES (1, 1, 7, 'trial', 0, 'Describe.', 'A zebra.', 0), (2, 1, 7, 'trial', 0, 'Describe.', 'A horse.', 0);
    INSERT INTO vote VALUES (4, 1, 2, 'right', 9);`)

  await prepareWorkspace(join(folder, 'old.fisao'))

  expect(schemaVersion(db)).toBe(currentVersion)
  const votes = () => db.prepare('SELECT vote_id, choice, voted_ms FROM vote ORDER BY vote_id').raw().all()
  expect(votes()).toEqual([[4, 'right', 9]])
  db.exec('INSERT INTO vote (left_rollout_id, right_rollout_id) VALUES (2, 1)')
  expect(() => db.exec("UPDATE vote SET choice = 'tie' WHERE vote_id = 5")).toThrow('CHECK')
  expect(brokenSeals(db)).toEqual([])
  db.exec('DELETE FROM rollout WHERE rollout_id = 1')
  expect([votes(), brokenSeals(db), db.pragma('integrity_check')]).toEqual([[], [], [{ integrity_check: 'ok' }]])
})

test('runs that were collected before belong to their sweeps from then on, but for those that were deleted', async () => {
  migrate(db, migrations.slice(0, 8))
  const sweepId = '0d4f6a52-6f0e-4c0b-9a5e-3b1f6c9d8e77'
  db.exec(`
    INSERT INTO model VALUES (1, '/model', 'm', '{}', zeroblob(32), NULL, 1, 0);
    INSERT INTO run VALUES (1, 1, 'own', 'quick', '{}', 1, 'complete', NULL, NULL, 0, 0, 0),
      (2, 1, 'r', 'quick', '{}', 1, 'complete', NULL, NULL, 0, 0, 0),
      (3, 1, 'r, placebo', 'quick', '{}', 1, 'complete', NULL, NULL, 0, 0, 0);
    INSERT INTO setting VALUES ('collected ${sweepId} 12', '{"runIds":[2,3],"atMs":70}'),
      ('collected ${sweepId} 1', '{"runIds":[9],"atMs":60}');`)
  const rows = rowsOf(['model', 'run', 'setting'])
  const before = rows()

  await prepareWorkspace(join(folder, 'old.fisao'))

  expect(schemaVersion(db)).toBe(currentVersion)
  expect(rows()).toEqual(before)
  expect(listSweeps(db)).toEqual([{ sweepId, name: 'Sweep 0d4f6a52', folder: null, createdAtMs: 60 }])
  expect(runsOfSweep(db, sweepId)).toEqual([
    { runId: 2, cell: 12 },
    { runId: 3, cell: 12 },
  ])
  expect(sweepOfRun(db, 1 as RunId)).toBeNull()
  expect(brokenSeals(db)).toEqual([])
  deleteRun(db, 2 as RunId)
  deleteRun(db, 3 as RunId)
  expect([listSweeps(db), brokenSeals(db)]).toEqual([[], []])
})

test('one that fails leaves the file as it was', () => {
  migrate(db, migrations.slice(0, 1))
  const before = readFileSync(join(folder, 'old.fisao'))
  const broken = {
    version: 2,
    name: 'broken',
    sql: 'CREATE TABLE half (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1);',
  }
  expect(() => migrate(db, [...migrations.slice(0, 1), broken])).toThrow('nowhere')
  expect(schemaVersion(db)).toBe(1)
  expect(readFileSync(join(folder, 'old.fisao')).equals(before)).toBe(true)
})
