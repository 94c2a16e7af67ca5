// Copies of a model folder with something in them changed, for tests of what is found at the check.
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import {
  readSafetensors,
  readTensorBytes,
  type StoredTensor,
  safetensorsDTypes,
  type TensorToWrite,
  writeSafetensors,
} from '../../folder/safetensors.ts'

/** JSON of a model folder. */
export type Fields = Record<string, unknown>

/** What becomes of a folder; files that are not named stay as they are. */
export interface Change {
  /** Of JSON files, by their names; a file that is not there begins as {}. */
  readonly json?: Readonly<Record<string, (fields: Fields) => void>>
  /** Whole files by their paths in the folder; null takes one away. */
  readonly files?: Readonly<Record<string, string | Uint8Array | null>>
  /** Of model.safetensors, by name. */
  readonly tensors?: (tensors: Map<string, TensorToWrite>) => void
}

/** Copies `from` to `to`, which is made, with a change. */
export async function changedFolder(
  from: string,
  to: string,
  { json = {}, files = {}, tensors }: Change,
): Promise<void> {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    // Linked, not copied: a changed file is written anew under its name.
    if (entry.isFile() && !entry.name.startsWith('expected')) linkSync(join(from, entry.name), join(to, entry.name))
  }
  for (const [name, change] of Object.entries(json)) {
    const path = join(to, name)
    const fields = readdirSync(to).includes(basename(name)) ? JSON.parse(readFileSync(path, 'utf8')) : {}
    change(fields)
    replace(path, JSON.stringify(fields))
  }
  for (const [name, content] of Object.entries(files)) replace(join(to, name), content)
  if (tensors) await changeTensors(join(to, 'model.safetensors'), tensors)
}

function replace(path: string, content: string | Uint8Array | null): void {
  rmSync(path, { force: true, recursive: true })
  if (content === null) return
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

async function changeTensors(path: string, change: (tensors: Map<string, TensorToWrite>) => void): Promise<void> {
  const names = Object.entries(safetensorsDTypes) as [TensorToWrite['dtype'], StoredTensor['dtype']][]
  const all = new Map<string, TensorToWrite>()
  for (const stored of await readSafetensors(path)) {
    const { name, shape } = stored
    all.set(name, {
      name,
      shape,
      dtype: names.find(([, dtype]) => dtype === stored.dtype)![0],
      bytes: await readTensorBytes(stored),
    })
  }
  change(all)
  await writeSafetensors(path, [...all.values()], { format: 'pt' })
}
