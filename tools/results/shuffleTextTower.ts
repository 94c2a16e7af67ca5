// A model whose verifier is useless on purpose: the demo model with the rows of its companion's token embeddings
// shuffled, so that every word is read as another one. Calibration must refuse it; docs/results.md says what happens
// to a run that is forced through.
//
//   npx tsx tools/results/shuffleTextTower.ts OUT [--seed 1] [--model DIR]
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readSafetensors, readTensorBytes, writeSafetensors } from '../../src/main/engine/folder/safetensors.ts'
import { Rng } from '../../src/main/engine/rng.ts'

const shuffled = 'text_model.embeddings.token_embedding.weight'

/** @param out a new folder */
export async function shuffleTextTower(model: string, out: string, seed: number): Promise<void> {
  cpSync(model, out, { recursive: true })
  const file = join(out, 'encoder/model.safetensors')
  const tensors = await Promise.all(
    (await readSafetensors(join(model, 'encoder/model.safetensors'))).map(async (stored) => {
      const bytes = await readTensorBytes(stored)
      const { name, shape, dtype } = stored
      if (dtype !== 'float32') throw new Error(`${name} is ${dtype}; only float32 is shuffled here`)
      const rows = shape[0] ?? 0
      return { name, dtype: 'F32' as const, shape, bytes: name === shuffled ? shuffleRows(bytes, rows, seed) : bytes }
    }),
  )
  if (!tensors.some(({ name }) => name === shuffled)) throw new Error(`${file} has no ${shuffled}`)
  await writeSafetensors(file, tensors)
}

function shuffleRows(bytes: Buffer, rows: number, seed: number): Buffer {
  const order = Array.from({ length: rows }, (_, row) => row)
  new Rng({ seed }).shuffle(order)
  const rowBytes = bytes.length / rows
  return Buffer.concat(order.map((row) => bytes.subarray(row * rowBytes, (row + 1) * rowBytes)))
}

if (process.argv[1] === import.meta.filename) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seed: { type: 'string', default: '1' },
      model: { type: 'string', default: join(import.meta.dirname, '../../resources/demo-model') },
    },
  })
  const [out] = positionals
  if (!out) throw new Error('where to?')
  await shuffleTextTower(values.model, out, Number(values.seed))
}
