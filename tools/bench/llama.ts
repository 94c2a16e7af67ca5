// The bench's models in llama.cpp, in this process, as tasks beside those of the engine. Before it stand ggufWriter.ts and
// llamaPackage.ts, after it formats.ts.
import { join } from 'node:path'
import type { VlmSource } from '../../src/main/engine/models/vlmGraphs.ts'
import { type GgufType, writeGguf } from './ggufWriter.ts'
import { type Llama, type LlamaSequence, llamaPackage } from './llamaPackage.ts'
import type { Task } from './tasks.ts'

/** Processor only, with as many threads. */
export async function openLlama(threads: number): Promise<Llama> {
  const { getLlama } = await llamaPackage()
  // It warns that the made-up words of a generated model do not come back from its tokenizer.
  return await getLlama({ gpu: false, build: 'never', skipDownload: true, maxThreads: threads, logLevel: 'fatal' })
}

/** A prompt of these tokens by itself, its next token thrown away. */
export async function llamaPrompt(llama: Llama, file: string, threads: number, ids: readonly number[]): Promise<Task> {
  const { sequences, release } = await open(llama, file, threads, 1, ids.length)
  const sequence = sequences[0] as LlamaSequence
  return {
    prepare: () => forget(sequence, 0),
    run: async () => await next(sequence, ids),
    release,
  }
}

/** So many tokens of each row, one after the other, greedily, after a prompt that all rows have. */
export async function llamaDecoding(
  llama: Llama,
  file: string,
  { threads, rows, ids, tokens }: { threads: number; rows: number; ids: readonly number[]; tokens: number },
): Promise<Task> {
  const { sequences, release } = await open(llama, file, threads, rows, ids.length + tokens)
  const first: number[] = []
  for (const sequence of sequences) first.push(await next(sequence, ids))
  return {
    prepare: async () => {
      for (const sequence of sequences) await forget(sequence, ids.length)
    },
    run: async () => {
      let last = first
      for (let i = 0; i < tokens; i++) {
        last = await Promise.all(sequences.map((sequence, row) => next(sequence, [last[row] as number])))
      }
      return last[0] as number
    },
    release,
  }
}

/** The file of a model in these numbers, in a folder that the caller removes. */
export async function ggufOf(folder: string, source: VlmSource, type: GgufType): Promise<string> {
  const path = join(folder, `${type}.gguf`)
  await writeGguf(path, source, type)
  return path
}

async function open(llama: Llama, modelPath: string, threads: number, sequences: number, tokens: number) {
  const model = await llama.loadModel({ modelPath, gpuLayers: 0 })
  const context = await model.createContext({
    ...{ sequences, threads },
    // A full context would be shifted before its last token is evaluated.
    ...{ contextSize: tokens + 1, batchSize: tokens },
  })
  return {
    sequences: Array.from({ length: sequences }, () => context.getSequence()),
    release: () => model.dispose(),
  }
}

/** The most probable token after these and all before them. */
async function next(sequence: LlamaSequence, ids: readonly number[]): Promise<number> {
  const last = ids.length - 1
  const found = await sequence.controlledEvaluate(
    ids.map((id, i) => (i === last ? [id, { generateNext: { token: true } }] : id)),
  )
  return (found[last] as { next: { token: number } }).next.token
}

async function forget(sequence: LlamaSequence, start: number): Promise<void> {
  await sequence.eraseContextTokenRanges([{ start, end: sequence.nextTokenIndex }])
}
