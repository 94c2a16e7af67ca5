// What leaves the workspace: the adapter of a step as a PEFT folder, the model merged with it, and a bundle that says how
// to repeat the run. Asked by worker.ts.
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunId } from '../../shared/domain.ts'
import type { WritableDb } from '../db/connection.ts'
import { metricNames, metricSeries } from '../db/metrics.ts'
import { skippedImages } from '../db/skippedImages.ts'
import { runtimeVersion } from './graph/ortSession.ts'
import { sha256Of, weightFiles } from './modelInspection.ts'
import { mergeAdapter } from './models/mergeAdapter.ts'
import { type LoraAdapter, writeAdapter } from './models/peft.ts'
import { openVlm } from './models/vlm.ts'
import { imagesOfRun, openStoredRun, policyAtStep, splitImages } from './workspaceRuns.ts'

export interface ExportRequest {
  readonly runId: RunId
  readonly step: number
  /** Of the adapter, 1 as trained; it is written into what is exported. */
  readonly strength: number
  /** A new folder; `adapter`, `merged` and `run.json` appear in it. */
  readonly folder: string
  readonly merged: boolean
}

/** The adapter by the names of transformers' modules, its strength taken into alpha, as Python's peft loads it. */
export function adapterForPeft({ rank, alpha, layers }: LoraAdapter, strength: number): LoraAdapter {
  const named = [...layers].map(([path, factors]) => [`model.language_model.${path}`, factors] as const)
  return { rank, alpha: alpha * strength, layers: new Map(named) }
}

/**
 * Writes the exports of one step.
 * @throws StudioError `run.missing`, `run.no-checkpoint`, `run.no-weights`, and what writing throws
 */
export async function exportRun(db: WritableDb, request: ExportRequest, signal?: AbortSignal): Promise<void> {
  const { runId, step, strength, folder } = request
  const { config, seed, folders, record } = openStoredRun(db, runId)
  const source = await openVlm(folders.model)
  const { adapter } = policyAtStep(db, runId, step, config, source)
  await mkdir(folder, { recursive: true })
  await writeAdapter(join(folder, 'adapter'), adapterForPeft(adapter, strength), folders.model)
  if (request.merged) {
    const options = { strength, ...(signal && { signal }) }
    await mergeAdapter(source.weights, adapter, join(folder, 'merged'), options)
  }
  const { images, validation } = splitImages(imagesOfRun(db, runId), config, seed)
  const series = metricNames(db, runId).map((name) => [name, metricSeries(db, runId, name)])
  const bundle = {
    format: 'fisao-run',
    version: 1,
    ...{ name: record.name, preset: record.preset, seed, step, strength, config, calibration: record.calibration },
    environment: { onnxruntime: runtimeVersion, node: process.versions.node, platform: process.platform },
    model: { folder: folders.model, weightsSha256: await sha256Of(weightFiles(source.weights)) },
    companion: { folder: folders.companion },
    images: images.map(({ sha256 }) => sha256),
    validationImages: validation.map(({ sha256 }) => sha256),
    skippedImages: skippedImages(db, runId, images.length + validation.length),
    metrics: Object.fromEntries(series),
  }
  const path = join(folder, 'run.json')
  await writeFile(`${path}.partial`, `${JSON.stringify(bundle, null, 1)}\n`, { flush: true })
  await rename(`${path}.partial`, path)
}
