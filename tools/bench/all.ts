// All figures of docs/performance.md about bases of fewer bits, on a machine that does nothing else, in about ten minutes: formats
// beside llama.cpp, the curve over sizes, profiles; with Python's path also PyTorch. Everything lands in the folder as text
// and JSON. Perplexities do not depend on the machine and are perplexity.ts's.
//
//   npx tsx tools/bench/all.ts FOLDER [--python .venv/bin/python]
import { spawn } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { python: { type: 'string' } } })
const folder = positionals[0]
if (!folder) throw new Error('usage: npx tsx tools/bench/all.ts FOLDER [--python .venv/bin/python]')
mkdirSync(folder, { recursive: true })
const tool = (name: string) => join(import.meta.dirname, name)
const json = (name: string) => join(folder, `${name}.json`)

const formats = (scale: string, ...more: string[]) =>
  node(`formats-${scale}`, 'formats.ts', '--scale', scale, '--json', json(scale), ...more)
await formats('S', '--llama')
await formats('SmolLM2', '--llama', '--kinds', 'decode 1,decode 8,prompt')
await formats('M', '--llama', '--turns', '5')
await formats('L', '--formats', 'stored,int8', '--turns', '2')
await node('curve', 'curve.ts', ...['S', 'M', 'L'].map(json))
for (const format of ['stored', 'int8']) {
  const scales = ['--scales', 'M', '--towers', 'none', '--format', format]
  await node(`profile-M-${format}`, 'bench.ts', ...scales, '--profile', '--repeats', '2')
}
const torch = join(import.meta.dirname, '../parity/bench_torch.py')
if (values.python) await run('torch', values.python, [torch, '--scales', 'S,M', '--json', json('torch')])

async function node(name: string, script: string, ...args: string[]): Promise<void> {
  await run(name, process.execPath, ['--import', 'tsx', tool(script), ...args])
}

/** Waits for a program whose output is shown and kept. */
async function run(name: string, command: string, args: readonly string[]): Promise<void> {
  console.log(`\n${name}, ${new Date().toISOString()}`)
  const log = createWriteStream(join(folder as string, `${name}.log`))
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.pipe(process.stdout, { end: false })
  child.stdout.pipe(log)
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`${name} ended with ${code}.`)
}
