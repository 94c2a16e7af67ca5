// The sweeps process of the app: what `sweep` and `collect` do, for a window. Before it stands app/sweeps.ts, after it the folder
// of a sweep and the open workspace.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { sweepMethods } from '../../shared/sweepMethods.ts'
import type { Collection, SweepCellView } from '../../shared/sweepView.ts'
import { workspaceRecord } from '../db/connection.ts'
import { imageCount } from '../db/images.ts'
import { closeWorkspace, openForReading, openWorkspace } from '../db/open.ts'
import { plannedWorkOf } from '../engine/jobs/jobWorkers.ts'
import { foldersOf, newRunJobs } from '../engine/jobs/newRunJobs.ts'
import { parentPort } from '../worker/parentPort.ts'
import { serveMethods } from '../worker/serveMethods.ts'
import { collectInto, type Found } from './collect.ts'
import { localPlace } from './localPlace.ts'
import { requireFree } from './results.ts'
import { memoryOf, writeSweep } from './sweep.ts'
import { readSweep } from './sweepFolder.ts'

const lexiconName = 'lexicon.json'

serveMethods(
  sweepMethods,
  {
    async collectSweep({ path, folder }, { signal, report }) {
      const sweep = await readSweep(folder)
      const place = await localPlace(null)
      const db = openWorkspace(path, { foldsLog: false })
      try {
        const found = await collectInto(
          db,
          { folder, sweep, place },
          { isStopped: () => signal.aborted, report: (done, total) => report({ done, total }) },
        )
        return { sweepId: sweep.sweepId, collection: collectionOf(sweep.cells, found) }
      } finally {
        closeWorkspace(db)
      }
    },
    async writeSweep({ path, folder, runs, lexicon, device, threads, resources: asked }, { signal, report }) {
      requireFree(folder)
      // Beside the jobs, so that it lies there under the same path for every machine.
      const bytes = readFileSync(lexicon)
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const cores = threads ?? availableParallelism()
      const where = { lexicon: { path: join(folder, lexiconName), sha256 }, device, threads: cores }
      const db = openForReading(path)
      const making = newRunJobs(db, runs, where, (done) => report({ done, total: runs.length }), signal)
      // It has read what it needs; the last connection to close is to be main's.
      closeWorkspace(db)
      const jobs = await making
      const cells = jobs.map((job, i) => ({ job, placebo: runs[i]?.withPlacebo ?? false }))
      const resources = {
        ...{ threads: cores, time: asked.time, needsGpu: device !== 'cpu', copyEvery: asked.copyEvery },
        memoryMb: asked.memoryMb ?? (await memoryOf(jobs.map(plannedWorkOf))),
      }
      return { sweepId: writeSweep(folder, cells, resources, { [lexiconName]: bytes }).sweepId }
    },
    async planMemory({ path, runs, device, threads }) {
      const db = openForReading(path)
      const images = imageCount(db)
      const cells = runs.map(({ modelId, config }) => {
        const { model, companion } = foldersOf(db, modelId)
        return { folders: { model, companion }, config, images, device, threads }
      })
      closeWorkspace(db)
      return { memoryMb: await memoryOf(cells) }
    },
  },
  parentPort(),
  workspaceRecord,
)

/** Every cell with what was found of it. */
function collectionOf(cells: readonly { cell: number; name: string }[], found: Found): Collection {
  const { collected, missing, failed, refused, foreign } = found
  const told = (cell: number): Pick<SweepCellView, 'state' | 'error' | 'log'> => {
    const failure = failed.find((one) => one.cell === cell)
    if (failure) return { state: 'failed', error: failure.error, log: [...failure.log] }
    const refusal = refused.find((one) => one.cell === cell)
    if (refusal) return { state: 'refused', error: refusal.error, log: [] }
    return { state: missing.includes(cell) ? 'missing' : 'complete', error: null, log: [] }
  }
  return {
    cells: cells.map(({ cell, name }) => ({ cell, name, ...told(cell) })),
    ...{ collected: collected.length, foreign: [...foreign] },
  }
}
