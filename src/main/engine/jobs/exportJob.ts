// An export as a job: a policy's adapter as a PEFT folder, the model merged with it, and a bundle that says what they are
// and, where they come from a run, how to repeat it.
import { mkdir, readdir, rename, rm, rmdir, statfs, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { StudioError } from '../../../shared/errors.ts'
import { unfinishedSuffix } from '../../../shared/fileName.ts'
import { type ExportJob, exportFormat } from '../../../shared/job.ts'
import { sizeWords } from '../../db/freeSpace.ts'
import { mergeAdapter } from '../folder/mergeAdapter.ts'
import { type LoraAdapter, writeAdapter } from '../folder/peft.ts'
import { syncFolder } from '../folder/safetensors.ts'
import type { Weights } from '../folder/weights.ts'
import { runtimeVersion, throwIfCancelled } from '../graph/ortSession.ts'
import { peftAdapter, storedAdapter } from '../models/shared/lora.ts'
import { openVlm } from '../models/vlm.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'
import { openPolicy, requireModels } from './jobInputs.ts'
import type { JobStore } from './jobStore.ts'

/**
 * Writes the exports of one policy. The folder appears under its name when it is whole; until then it is called so with
 * {@link unfinishedSuffix}, and it is gone when writing fails. One that a killed process left is written anew.
 * @throws StudioError `run.no-checkpoint`, `run.no-weights`, `run.model-changed`, `run.export-taken`, `run.export-no-room`
 *   before anything is written, `run.export-failed`, `weights.disk-full`, `run.cancelled`, and what models throw
 */
export async function exportJob(job: ExportJob, store: JobStore, signal?: AbortSignal): Promise<{ folder: string }> {
  const target = resolve(job.folder)
  const unfinished = `${target}${unfinishedSuffix}`
  await requireModels(job, store, signal)
  const source = await openVlm(job.models.model.folder)
  const { adapter } = await openPolicy(job.policy, job.config, source, store)
  let isBegun = false
  try {
    await requireFree(target)
    await mkdir(dirname(target), { recursive: true })
    await rm(unfinished, { recursive: true, force: true })
    await requireRoom(dirname(target), exportBytes(adapter, job.merged ? source.weights : null))
    await mkdir(unfinished)
    isBegun = true
    await writeExport({ ...job, folder: unfinished }, { source, adapter, about: store.describeRun() }, signal)
    // An empty folder stands in the way of a rename on Windows.
    await rmdir(target).catch(() => undefined)
    await rename(unfinished, target)
    await syncFolder(dirname(target))
    return { folder: target }
  } catch (cause) {
    throw exportFailure(target, cause)
  } finally {
    if (isBegun) await rm(unfinished, { recursive: true, force: true })
  }
}

async function writeExport(
  { config, seed, models, policy, strength, merged, folder }: ExportJob,
  parts: { source: VlmSource; adapter: LoraAdapter; about: Readonly<Record<string, unknown>> },
  signal: AbortSignal | undefined,
): Promise<void> {
  const { source, adapter, about } = parts
  throwIfCancelled(signal)
  await writeAdapter(
    join(folder, 'adapter'),
    withStrength(peftAdapter(source.architecture, adapter), strength),
    models.model.folder,
  )
  if (merged) {
    const stored = storedAdapter(source.architecture, source.weights, adapter)
    await mergeAdapter(source.weights, stored, join(folder, 'merged'), { strength, ...(signal && { signal }) })
  }
  throwIfCancelled(signal)
  const bundle = {
    ...{ format: exportFormat, version: 1, seed, strength, config },
    step: policy.from === 'run' ? policy.step : null,
    environment: { onnxruntime: runtimeVersion, node: process.versions.node, platform: process.platform },
    ...models,
    ...about,
  }
  await writeFile(join(folder, 'run.json'), `${JSON.stringify(bundle, null, 1)}\n`, { flush: true })
  await syncFolder(folder)
}

/** The strength taken into alpha, as Python's peft loads it. */
export function withStrength(adapter: LoraAdapter, strength: number): LoraAdapter {
  return { ...adapter, alpha: adapter.alpha * strength }
}

/** Configs, tokenizer and run.json beside the weights, generously. */
const besideWeightsBytes = 64 * 1024 * 1024

function exportBytes({ layers }: LoraAdapter, merged: Weights | null): number {
  const factors = [...layers.values()].reduce((sum, { a, b }) => sum + a.byteLength + b.byteLength, 0)
  const tensors = merged ? [...merged.files.values()].flat() : []
  return factors + tensors.reduce((sum, { slice }) => sum + slice.sizeBytes, 0)
}

async function requireRoom(folder: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const freeBytes = bavail * bsize
  // What the other files take, a small disk may still have room for: the writing itself will tell.
  if (neededBytes + Math.min(neededBytes, besideWeightsBytes) <= freeBytes) return
  throw new StudioError({
    code: 'run.export-no-room',
    message: `This export takes ${sizeWords(neededBytes)}, and its disk has ${sizeWords(freeBytes)} free.`,
    remedy: 'Free some space, choose a folder on another disk, or export the adapter alone.',
    expected: `${neededBytes} bytes`,
    found: `${freeBytes} bytes`,
    where: folder,
  })
}

async function requireFree(target: string): Promise<void> {
  const there = await readdir(target).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw cause
  })
  if (there.length === 0) return
  throw new StudioError({
    code: 'run.export-taken',
    message: 'The export cannot be written to this folder: it holds other files.',
    remedy: 'Choose a new or an empty folder.',
    where: target,
  })
}

const failures: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk is full',
  EACCES: 'you may not write there',
  EPERM: 'you may not write there',
  EROFS: 'that disk cannot be written to',
  ENAMETOOLONG: 'its name is too long for that disk',
  ENOTDIR: 'a file lies in its place',
  ENOENT: 'the folder is gone',
}

/** What failed while an export was written, as an error for a person; a StudioError stays what it is. */
function exportFailure(target: string, cause: unknown): StudioError {
  if (cause instanceof StudioError) return cause
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown'
  return new StudioError(
    {
      code: 'run.export-failed',
      message: `The export was not written: ${failures[code] ?? `the disk answered ${code}`}. Nothing of it was left behind.`,
      remedy: 'Choose a folder that you may write to, on a disk with room, then try again.',
      found: code,
      where: target,
    },
    { cause },
  )
}
