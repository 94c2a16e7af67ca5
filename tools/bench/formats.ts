// The numbers of a base side by side in one process, and llama.cpp beside them at equal bits: decoding, a prompt, a training
// step. All take turns, and ratios are of one turn, so that what else the machine does weighs on all alike; in processor
// time, which says more than the clock where a machine is busy.
//
//   npx tsx tools/bench/formats.ts [--scale M] [--kinds "decode 1,..."] [--formats stored,int8] [--turns 7]
//                                 [--threads 1] [--llama] [--json FILE]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { inChosenNumbers } from '../../src/main/engine/models/baseFile.ts'
import type { VlmSource } from '../../src/main/engine/models/vlmGraphs.ts'
import { writeDecoderCheckpoint } from './checkpoint.ts'
import type { GgufType } from './ggufWriter.ts'
import { ggufOf, llamaDecoding, llamaPrompt, openLlama } from './llama.ts'
import type { Llama } from './llamaPackage.ts'
import { readSettings, sharedSettingsFile } from './settings.ts'
import { decodingTask, promptTask, type Task, textIds, trainingTask } from './tasks.ts'
import { inTurns, ratios, type Spread, spread, type Timed } from './turns.ts'

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: 'M' },
    kinds: { type: 'string', default: 'decode 1,decode 8,prompt,train' },
    formats: { type: 'string', default: 'stored,int8,int4' },
    turns: { type: 'string', default: '7' },
    threads: { type: 'string', default: '1' },
    llama: { type: 'boolean', default: false },
    settings: { type: 'string', default: sharedSettingsFile },
    json: { type: 'string' },
  },
})
const [turns, threads] = [Number(values.turns), Number(values.threads)]
const settings = readSettings(values.settings)
const scale = settings.scales[values.scale]
if (!scale) throw new Error(`There is no scale ${values.scale}.`)

/** By base: what it is called here, and what llama.cpp has of as many bits. */
const allFormats = [
  { format: 'stored', label: '32 bits', type: 'F32' },
  { format: 'int8', label: '8 bits', type: 'Q8_0' },
  { format: 'int4', label: '4 bits', type: 'Q4_0' },
] as const
const formats = allFormats.filter(({ format }) => values.formats.split(',').includes(format))
/** Of a row in a turn. */
const decodedTokens = 8

interface Found {
  readonly kind: string
  readonly label: string
  /** For a token of all rows, a prompt or a step; processor time, median of the turns. */
  readonly ms: number
  /** How many times as fast as 32 bits. */
  readonly speed: Spread
  /** How many times as fast as llama.cpp of as many bits. */
  readonly speedOfLlama?: Spread
}

const folder = mkdtempSync(join(tmpdir(), 'fisao-formats-'))
try {
  const stored = await writeDecoderCheckpoint(join(folder, 'model'), settings, scale)
  const llama = values.llama ? await openLlama(threads) : null
  const files = new Map<GgufType, string>()
  if (llama) for (const { type } of formats) files.set(type, await ggufOf(folder, stored, type))
  const found: Found[] = []
  for (const kind of values.kinds.split(',')) {
    const tasks = await tasksOf(kind, stored, llama, files)
    const timed = await inTurns(tasks, turns)
    for (const task of tasks.values()) await task.release()
    found.push(...compared(kind, timed))
  }
  await llama?.dispose()
  if (values.json) writeFileSync(values.json, `${JSON.stringify({ scale: values.scale, turns, found }, null, 1)}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function tasksOf(
  kind: string,
  stored: VlmSource,
  llama: Llama | null,
  files: ReadonlyMap<GgufType, string>,
): Promise<Map<string, Task>> {
  const rows = Number(/^decode (\d+)$/.exec(kind)?.[1])
  const ids = textIds(stored, kind === 'prompt' ? settings.prefill.tokens : settings.decode.context)
  const decoding = { threads, rows, ids, tokens: decodedTokens }
  const tasks = new Map<string, Task>()
  for (const { format, label, type } of formats) {
    const source = await inChosenNumbers(stored, format, { folder: join(folder, 'base') })
    const file = files.get(type)
    if (kind === 'train') tasks.set(label, await trainingTask(source, threads, settings))
    else if (kind === 'prompt') tasks.set(label, await promptTask(source, threads, ids))
    else tasks.set(label, await decodingTask(source, decoding))
    if (!llama || !file || kind === 'train') continue
    const rival = kind === 'prompt' ? llamaPrompt(llama, file, threads, ids) : llamaDecoding(llama, file, decoding)
    tasks.set(`llama.cpp ${type}`, await rival)
  }
  return tasks
}

function compared(kind: string, timed: ReadonlyMap<string, Timed>): Found[] {
  const plain = timed.get('32 bits') as Timed
  return [...timed].map(([label, { ms, token }]) => {
    const rival = timed.get(`llama.cpp ${formats.find((one) => one.label === label)?.type}`)
    const found: Found = {
      ...{ kind, label, ms: spread(ms)[0] / (kind.startsWith('decode') ? decodedTokens : 1) },
      speed: spread(ratios(plain.ms, ms)),
      ...(rival && { speedOfLlama: spread(ratios(rival.ms, ms)) }),
    }
    const said = (speed: Spread | undefined) =>
      speed ? `x${speed[0].toFixed(2)} [${speed[1].toFixed(2)}, ${speed[2].toFixed(2)}]` : ''
    console.log(
      [kind, label, `${found.ms.toFixed(1)} ms`, said(found.speed), said(found.speedOfLlama), token].join(' | '),
    )
    return found
  })
}
