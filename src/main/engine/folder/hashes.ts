// SHA-256 of files, read in pieces. Before it stand the files of a model or of a person, after it modelIdentity.ts and
// whoever has to say later that a file is still the same.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { throwIfCancelled } from '../graph/ortSession.ts'
import type { Weights } from './weights.ts'

/** The files of a model's weights, in the order of their names. */
export function weightFiles(weights: Weights): string[] {
  return [...new Set(weights.names.map((name) => weights.get(name).slice.file))].sort()
}

/** SHA-256 over files one after the other, in hexadecimal digits. @throws StudioError `run.cancelled` */
export async function sha256Of(files: readonly string[], signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  for (const file of files) {
    for await (const chunk of createReadStream(file)) {
      throwIfCancelled(signal)
      hash.update(chunk as Buffer)
    }
  }
  return hash.digest('hex')
}

/** SHA-256 of a text, 64 hexadecimal digits. */
export function sha256OfText(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
