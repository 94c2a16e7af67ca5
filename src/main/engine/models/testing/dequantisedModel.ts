// A model on a base file as a model of plain float32: what its quantised graphs must compute. For tests.
import { join } from 'node:path'
import { readSafetensors, readTensorBytes, type TensorToWrite, writeSafetensors } from '../../folder/safetensors.ts'
import { Weights } from '../../folder/weights.ts'
import type { VlmSource } from '../vlmGraphs.ts'

/** Writes the float32 file into a folder. A head that is tied to its table is one of its own: only products are quantised. */
export async function dequantisedModel(source: VlmSource, folder: string): Promise<VlmSource> {
  const { weights, architecture, config } = source
  const table = `${architecture.names.decoder[0]}embed_tokens.weight`
  const head = `${architecture.names.head[0]}weight`
  const tensors = new Map<string, TensorToWrite>()
  for (const name of weights.names) {
    const { dtype, shape } = weights.get(name)
    if (dtype === 'float32' && !name.endsWith('.scales') && !tensors.has(name)) {
      tensors.set(name, { name, dtype: 'F32', shape, bytes: await weights.bytes(name) })
    }
    const [, of, bits] = /^(.*)\.q([48])$/.exec(name) ?? []
    if (of === undefined) continue
    const values = await dequantised(weights, of, Number(bits))
    const [rows, width] = shape as [number, number]
    const made = {
      name: of === table ? head : of,
      dtype: 'F32',
      shape: [rows, (width * 8) / Number(bits)],
      bytes: new Uint8Array(values.buffer),
    }
    tensors.set(made.name, made as TensorToWrite)
  }
  const path = join(folder, 'model.safetensors')
  await writeSafetensors(path, [...tensors.values()])
  const untied = { ...config, decoder: { ...config.decoder, tied: false } }
  return {
    ...source,
    config: untied,
    weights: new Weights(folder, new Map([['model.safetensors', await readSafetensors(path)]])),
  }
}

/** (q - zero) · scale, in float32. */
async function dequantised(weights: Weights, name: string, bits: number): Promise<Float32Array> {
  const read = async (part: string) => new Uint8Array(await readTensorBytes(weights.get(name + part)))
  const numbers = (bytes: Uint8Array) =>
    bits === 8 ? [...bytes] : [...bytes].flatMap((byte) => [byte & 15, byte >> 4])
  const [q, zeros] = [numbers(await read(`.q${bits}`)), numbers(await read('.zeros'))]
  const scales = new Float32Array((await read('.scales')).buffer)
  const block = q.length / scales.length
  return Float32Array.from(q, (value, i) => {
    const at = Math.floor(i / block)
    return (value - (zeros[at] as number)) * (scales[at] as number)
  })
}
