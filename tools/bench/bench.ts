// `npm run bench`: how fast the engine is on this machine, at several scales of generated weights, as a table and as
// JSON, each figure also as a fraction of what the machine can do. tools/parity/bench_torch.py measures the same.
//
//   npm run bench -- [--scales S,M,L] [--towers CLIP-B/32-224,...|none] [--threads 1] [--repeats 3]
//                    [--device cpu|webgpu|cuda] [--format stored|int8|int4] [--prepack] [--profile] [--settings FILE] [--json FILE]
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { runtimeVersion } from '../../src/main/engine/graph/ortSession.ts'
import { baseChoices } from '../../src/shared/baseFormat.ts'
import { deviceNames } from '../../src/shared/hardware.ts'
import { type Measured, measureScale, measureTower } from './measure.ts'
import { readSettings, sharedSettingsFile } from './settings.ts'

const optionsSchema = z.object({
  scales: z.string(),
  towers: z.string().optional(),
  threads: z.coerce.number().int().positive(),
  repeats: z.coerce.number().int().positive(),
  device: z.enum(deviceNames),
  format: z.enum(baseChoices),
  prepack: z.boolean(),
  profile: z.boolean(),
  settings: z.string(),
  json: z.string().optional(),
})
type Options = z.infer<typeof optionsSchema>

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      scales: { type: 'string', default: 'S,M,L' },
      towers: { type: 'string' },
      threads: { type: 'string', default: '1' },
      repeats: { type: 'string', default: '3' },
      device: { type: 'string', default: 'cpu' },
      format: { type: 'string', default: 'stored' },
      prepack: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      settings: { type: 'string', default: sharedSettingsFile },
      json: { type: 'string' },
    },
  })
  return optionsSchema.parse(values)
}

const childMark = 'measure'

/** What a child process measures. */
interface Task {
  readonly kind: 'scale' | 'tower'
  readonly name: string
  readonly folder: string
  readonly options: Options
}

async function work({ kind, name, folder, options }: Task): Promise<Measured> {
  const { device, threads, repeats, profile, prepack, format } = options
  const settings = readSettings(options.settings)
  const measure = kind === 'scale' ? measureScale : measureTower
  const session = { device, threads, prepackWeights: prepack }
  return await measure(name, settings, { session, repeats, folder, profile, format })
}

/** Measures in a process of its own; its folder is gone afterwards. */
async function inChild(kind: Task['kind'], name: string, options: Options): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'fisao-bench-'))
  try {
    return await new Promise((resolve, reject) => {
      const child = fork(fileURLToPath(import.meta.url), [childMark])
      let result: Measured | null = null
      child.on('message', (message: Measured) => {
        result = message
      })
      child.on('exit', (code) => {
        if (result) resolve(result)
        else reject(new Error(`Measuring ${name} ended with ${code}.`))
      })
      child.send({ kind, name, folder, options } satisfies Task)
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function printTable(rows: readonly Measured[]): void {
  for (const [i, { name, figures, profiles, gemmGflops, bandwidthGbPerSecond }] of rows.entries()) {
    if (i === 0) console.log(['name', ...Object.keys(figures), 'gemm_gflops', 'bandwidth_gb_per_second'].join(' | '))
    const numbers = [...Object.values(figures), gemmGflops, bandwidthGbPerSecond]
    console.log([name, ...numbers.map((number) => String(Number(number.toPrecision(3))))].join(' | '))
    for (const [run, ops] of Object.entries(profiles)) {
      const lines = ops.map(
        ({ op, share, ms, nodes }) => `  ${op} ${(share * 100).toFixed(1)} % ${ms.toFixed(2)} ms, ${nodes} nodes`,
      )
      console.log([`${name}, ${run}, by op:`, ...lines.slice(0, 12)].join('\n'))
    }
  }
}

async function main(): Promise<void> {
  const options = readOptions()
  const settings = readSettings(options.settings)
  const scales = options.scales.split(',').filter((name) => name !== 'none')
  const towers = (options.towers?.split(',') ?? Object.keys(settings.towers)).filter((name) => name !== 'none')
  const measuredScales: Measured[] = []
  for (const name of scales) {
    measuredScales.push(await inChild('scale', name, options))
    printTable(measuredScales.slice(-1))
  }
  const measuredTowers: Measured[] = []
  for (const name of towers) {
    measuredTowers.push(await inChild('tower', name, options))
    printTable(measuredTowers.slice(-1))
  }
  const all = [...measuredScales, ...measuredTowers]
  const row = ({ name, figures, profiles, ...limits }: Measured) => ({ ...figures, ...limits, profiles })
  const found = {
    onnxruntime: runtimeVersion,
    device: options.device,
    threads: options.threads,
    format: options.format,
    repeats: options.repeats,
    prepackWeights: options.prepack,
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores, ${(totalmem() / 1e9).toFixed(0)} GB`,
    date: new Date().toISOString(),
    gemm_gflops: Math.max(...all.map(({ gemmGflops }) => gemmGflops)),
    bandwidth_gb_per_second: Math.max(...all.map(({ bandwidthGbPerSecond }) => bandwidthGbPerSecond)),
    scales: measuredScales.map((scale) => ({ scale: scale.name, ...row(scale) })),
    towers: measuredTowers.map((tower) => ({ tower: tower.name, ...row(tower) })),
  }
  const { gemm_gflops, bandwidth_gb_per_second, threads, device, machine } = found
  console.log(
    `GEMM ${gemm_gflops.toFixed(1)} GFLOP/s, memory ${bandwidth_gb_per_second.toFixed(1)} GB/s at best; ` +
      `${threads} thread(s), ${device}, ONNX Runtime ${runtimeVersion}, ${machine}`,
  )
  if (options.json) writeFileSync(options.json, `${JSON.stringify(found, null, 1)}\n`)
}

if (process.argv[2] === childMark) {
  process.once('message', (task: Task) => {
    work(task).then(
      (result) => process.send?.(result, () => process.exit(0)),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
} else {
  await main()
}
