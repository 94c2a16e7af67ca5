// What an update of the adapter costs in this process: adding a micro-batch's gradients to the sum, and AdamW's step.
//
//   npx tsx tools/bench/optimiser.ts [--millions 40] [--turns 5]
import { parseArgs } from 'node:util'
import { AdamW, adamDefaults, type NamedArrays } from '../../src/main/engine/align/optimiser/adamw.ts'
import { addTo } from '../../src/main/engine/align/optimiser/training.ts'

const { values } = parseArgs({
  options: { millions: { type: 'string', default: '40' }, turns: { type: 'string', default: '5' } },
})
/** Factors of rank 16 for seven projections of 32 layers, as many numbers in each. */
const names = Array.from({ length: 2 * 7 * 32 }, (_, i) => `factor ${i}`)
const size = Math.round((Number(values.millions) * 1e6) / names.length)
const filled = (value: number): NamedArrays =>
  Object.fromEntries(names.map((name) => [name, new Float32Array(size).fill(value)]))

const [gradients, sums] = [filled(1e-3), filled(1e-3)]
const optimiser = new AdamW(filled(1e-2), { ...adamDefaults, weightDecay: 0, maxGradientNorm: 1 })
const best = { addMs: Number.POSITIVE_INFINITY, stepMs: Number.POSITIVE_INFINITY }
for (let turn = 0; turn < Number(values.turns); turn++) {
  const startMs = performance.now()
  for (const name of names) addTo(sums[name] as Float32Array, gradients[name] as Float32Array)
  const addedMs = performance.now()
  optimiser.step(sums, 1e-4)
  best.addMs = Math.min(best.addMs, addedMs - startMs)
  best.stepMs = Math.min(best.stepMs, performance.now() - addedMs)
}
process.stdout.write(`${JSON.stringify({ millions: Number(values.millions), ...best })}\n`)
