// What is kept of a damaged workspace: all that is what was stored, and a true count of what is not.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { allImages, type RolloutId } from '../../shared/domain.ts'
import { lastSoundCheckpoint, listCheckpoints } from './checkpoints.ts'
import { applicationId, connect } from './connection.ts'
import { countImages, thumbnailOf } from './images.ts'
import { migrate } from './migrate.ts'
import { migrations } from './migrations/index.ts'
import { closeWorkspace, createWorkspace, openWorkspace, prepareWorkspace } from './open.ts'
import { responseById } from './rollouts.ts'
import { listRuns } from './runs.ts'
import { inspectDamage, salvageWorkspace } from './salvage.ts'
import { fillWorkspace } from './testing/fullWorkspace.ts'
import { temporaryWorkspace } from './testing/temporaryWorkspace.ts'

test('damaged weights, thumbnails and responses are left out and counted, all else is kept', async () => {
  const { path: beside } = temporaryWorkspace()
  const path = join(dirname(beside), 'damaged.fisao')
  createWorkspace(path)
  const db = openWorkspace(path)
  fillWorkspace(db, { images: 30, steps: 5, weightBytes: 5000 })
  const total = db.prepare('SELECT count(*) FROM rollout').pluck().get() as number
  db.exec(`
    UPDATE token SET log_prob = 0 WHERE rollout_id = 3 AND position = 5;
    DELETE FROM span WHERE rollout_id = 9;
    UPDATE checkpoint_blob SET bytes = zeroblob(length(bytes)) WHERE part = 'adapter' AND checkpoint_id =
      (SELECT max(checkpoint_id) FROM checkpoint);
    UPDATE thumbnail SET bytes = x'00' WHERE image_id IN (4, 7);
    UPDATE embedding SET vector = zeroblob(512) WHERE rowid = 1`)
  closeWorkspace(db)
  const announced = inspectDamage(path)
  const { report, keptAs } = salvageWorkspace(path)
  expect(report).toEqual(announced)
  expect(report).toMatchObject({
    images: { kept: 30, lost: 0 },
    runs: { kept: 2, lost: 0 },
    responses: { kept: total - 2, lost: 2 },
    weights: { kept: 2, lost: 1 },
    thumbnails: { kept: 28, lost: 2 },
    changedTables: [],
    lostLastSteps: false,
  })
  expect(existsSync(keptAs)).toBe(true)
  await prepareWorkspace(path)
  const salvaged = openWorkspace(path)
  expect([3, 9, 4].map((id) => responseById(salvaged, id as RolloutId)?.rolloutId)).toEqual([undefined, undefined, 4])
  expect([4, 7, 8].map((id) => thumbnailOf(salvaged, id) !== undefined)).toEqual([false, false, true])
  const runId = listRuns(salvaged).find(({ name }) => name === 'aligned')!.runId
  expect(lastSoundCheckpoint(salvaged, runId)?.step).toBe(4)
  expect(listCheckpoints(salvaged, runId).map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5])
  expect(salvaged.prepare('SELECT count(*) FROM embedding').pluck().get()).toBe(29)
  closeWorkspace(salvaged)
})

test('of a file of the version before, responses are salvaged with their tokens', async () => {
  const { path: beside } = temporaryWorkspace()
  const path = join(dirname(beside), 'before.fisao')
  const db = connect(path, { create: true })
  db.pragma(`application_id = ${applicationId}`)
  migrate(db, migrations.slice(0, 5))
  db.exec(`
    INSERT INTO import VALUES (1, '/pictures', 'complete', 1, 2);
    INSERT INTO image VALUES (7, 1, '/pictures/a.jpg', 'a.jpg', 10, 3, zeroblob(32), 4, 5, 'jpeg', 6, zeroblob(32));
    INSERT INTO model VALUES (1, '/model', 'm', '{}', zeroblob(32), NULL, 1, 0);
    INSERT INTO run VALUES (1, 1, 'r', 'quick', '{}', 1, 'paused', NULL, NULL, 0, 0, NULL);
    INSERT INTO rollout VALUES (1, 1, NULL, 7, 'training', 0, 'Describe.', 'A', NULL, 0, 0,
      CAST(row_hash('Describe.', 'A') + row_hash(0, 5, 0, 1, -0.1, -0.2, 0.0) AS INTEGER));
    INSERT INTO token VALUES (1, 0, 5, 0, 1, -0.1, -0.2, 0);
    DROP TABLE vote`)
  db.close()
  expect(salvageWorkspace(path).report.responses).toEqual({ kept: 1, lost: 0 })
  await prepareWorkspace(path)
  const salvaged = openWorkspace(path)
  expect(responseById(salvaged, 1 as RolloutId)).toMatchObject({ runId: 1, text: 'A', tokens: [{ tokenId: 5 }] })
  closeWorkspace(salvaged)
})

test('a file of an earlier version is salvaged and migrated', async () => {
  const { path: beside } = temporaryWorkspace()
  const path = join(dirname(beside), 'earlier.fisao')
  const db = connect(path, { create: true })
  db.pragma(`application_id = ${applicationId}`)
  migrate(db, migrations.slice(0, 3))
  db.exec(`
    INSERT INTO import VALUES (1, '/pictures', 'complete', 1, 2);
    INSERT INTO image VALUES (7, 1, '/pictures/a.jpg', 'a.jpg', 10, 3, zeroblob(32), 4, 5, 'jpeg', 6);
    INSERT INTO thumbnail VALUES (7, x'00ff');
    INSERT INTO model VALUES (1, '/model', 'm', '{}', zeroblob(32), NULL, 1, 0);
    INSERT INTO run VALUES (1, 1, 'r', 'quick', '{}', 1, 'paused', NULL, NULL, 0, 0, NULL);
    INSERT INTO checkpoint VALUES (1, 1, NULL, 0, '{}', '{}', 0, 0);
    INSERT INTO checkpoint_blob VALUES (1, 'adapter', 0, x'00ff');
    INSERT INTO rollout VALUES (1, 1, 1, 7, 'evaluation', 0, 'Describe.', 'A zebra.', -0.5, 1, 0);
    INSERT INTO token VALUES (1, 0, 5, 0, 1, -0.1, -0.2, 0);
    DROP TABLE vote`)
  db.close()
  await expect(prepareWorkspace(path)).rejects.toMatchObject({ code: 'workspace.damaged' })
  const { report } = salvageWorkspace(path)
  expect([report.images.kept, report.runs.kept, report.responses.kept, report.weights.kept]).toEqual([1, 1, 1, 1])
  await prepareWorkspace(path)
  const salvaged = openWorkspace(path)
  expect(countImages(salvaged, allImages)).toBe(1)
  expect(thumbnailOf(salvaged, 7)).toEqual(Buffer.of(0, 255))
  expect(responseById(salvaged, 1 as RolloutId)?.tokens).toHaveLength(1)
  expect(salvaged.prepare('SELECT count(*) FROM checkpoint_part').pluck().get()).toBe(1)
  closeWorkspace(salvaged)
})
