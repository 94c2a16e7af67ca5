// Real workspaces for tests: one in a folder of its own with a model and a run to hang responses on, or one at a path.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { CheckpointId, ModelId, RunId } from '../../../shared/domain.ts'
import { storeCheckpoint } from '../checkpoints.ts'
import type { WritableDb } from '../connection.ts'
import { createImport } from '../imports.ts'
import { saveModel } from '../models.ts'
import { closeWorkspace, createWorkspace, openWorkspace } from '../open.ts'
import { createRun } from '../runs.ts'
import { seedLibrary } from './seedLibrary.ts'

export interface TemporaryWorkspace {
  readonly path: string
  readonly db: WritableDb
  readonly modelId: ModelId
  readonly runId: RunId
}

/** An open workspace with images 1 to `images`, a model and a queued run; gone when the test has ended. */
export function temporaryWorkspace(images = 3): TemporaryWorkspace {
  const folder = mkdtempSync(join(tmpdir(), 'fisao-run-'))
  const path = join(folder, 'work.fisao')
  createWorkspace(path)
  const db = openWorkspace(path)
  onTestFinished(() => {
    db.close()
    rmSync(folder, { recursive: true, force: true })
  })
  seedLibrary(db, images, [Buffer.from('picture')])
  const modelId = addModel(db)
  return { path, db, modelId, runId: addRun(db, modelId) }
}

/** Makes a workspace at `path` with `rows` imports, closed. @returns `path` */
export function makeWorkspaceWithRows(path: string, rows: number): string {
  createWorkspace(path)
  const db = openWorkspace(path)
  for (let i = 0; i < rows; i++) createImport(db, `/folder/${i}`.padEnd(400, 'x'), i)
  closeWorkspace(db)
  return path
}

export function addModel(db: WritableDb, folder = '/models/tiny'): ModelId {
  const weightsSha256 = Buffer.alloc(32, 7)
  const model = { folder, name: 'tiny', config: {}, weightsSha256, companionFolder: null, encoderVerified: null }
  return saveModel(db, model, 1)
}

export function addRun(db: WritableDb, modelId: ModelId, name = 'first'): RunId {
  return createRun(db, { modelId, name, preset: 'quick', config: { seed: 1 }, seed: 1 }, 1)
}

/** A checkpoint with one small part. */
export function addCheckpoint(db: WritableDb, runId: RunId, step: number): CheckpointId {
  const parts = { adapter: Uint8Array.of(step, 255) }
  return storeCheckpoint(db, { runId, parentId: null, step, cursor: { step }, summary: {}, parts }, step)
}
