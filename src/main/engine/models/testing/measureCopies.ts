// For baseFile.test.ts, in a process of its own: what sessions over one folder of half precision hold for themselves, by the
// numbers that its model is computed with, as JSON of MB. Linux only.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BaseChoice } from '../../../../shared/baseFormat.ts'
import { graphMemory } from '../../graph/livePeak.ts'
import { OrtSession } from '../../graph/ortSession.ts'
import { inChosenNumbers } from '../baseFile.ts'
import { openVlm } from '../vlm.ts'
import { promptGraph, responseGraph, stepGraph } from '../vlmGraphs.ts'

const [folder = '', choice = ''] = process.argv.slice(2)
const stored = await openVlm(folder)
const source = await inChosenNumbers(stored, choice as BaseChoice, { folder: join(folder, 'cache') })
const isPacked = choice.startsWith('int')
const step = stepGraph(source, null)
const graphs = [
  promptGraph(source, null),
  responseGraph(source).graph,
  ...(isPacked ? [] : [stepGraph(source, null, true)]),
]

const sizes = new Map(Object.entries({ batch: 1, seq: 8, past: 8, positions: 16, image_rows: 4, rows: 4 }))
const before = anonymousMb()
const sessions: OrtSession[] = []
for (const graph of graphs) sessions.push(await OrtSession.open(graph, { device: 'cpu', threads: 1 }))
const shared = anonymousMb() - before
sessions.push(await OrtSession.open(step, { device: 'cpu', threads: 1, prepackWeights: isPacked }))
const figures = {
  sessions: sessions.length,
  /** Of all but the step. */
  shared,
  step: anonymousMb() - before - shared,
  plannedStep: graphMemory(step, sizes, isPacked).privateBytes / 1e6,
}
for (const session of sessions) await session.release()
process.stdout.write(JSON.stringify(figures))

function anonymousMb(): number {
  return (1024 / 1e6) * Number(/Anonymous:\s+(\d+) kB/.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))?.[1])
}
