// A graph whose weights were made in this process, with them in a file as those of a model are: sessions on a device share what
// lies in files (sharedWeights.ts). For the check of a device, which is to take the way that a run takes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Graph, Initializer } from './ir.ts'
import { leastSharedBytes } from './sharedWeights.ts'

/** Calls `use` with the graphs, their weights in files that are there as long as it takes. @throws what writing a file throws */
export async function withWeightFiles<Result>(
  graphs: readonly Graph[],
  use: (stored: readonly Graph[]) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'fisao-weights-'))
  try {
    return await use(graphs.map((graph, i) => withWeightFile(graph, join(folder, String(i)))))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The graph with what sessions would share in the file. */
function withWeightFile(graph: Graph, file: string): Graph {
  const written: Uint8Array[] = []
  let offsetBytes = 0
  const initializers = graph.initializers.map((one): Initializer => {
    if (!('inline' in one) || one.inline.byteLength < leastSharedBytes) return one
    const { buffer, byteOffset, byteLength: sizeBytes } = one.inline
    written.push(new Uint8Array(buffer, byteOffset, sizeBytes))
    const external = { file, offsetBytes, sizeBytes }
    offsetBytes += sizeBytes
    return { value: one.value, external }
  })
  writeFileSync(file, Buffer.concat(written))
  return { ...graph, initializers }
}
