// The import floors must fail the lint when they are broken: each planted violation is linted with the
// project's own rules, and so is the same file without it.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageBin } from './build.ts'
import { projectRoot } from './runProgram.ts'

/** In the order in which data passes them. */
const engineRooms = 'graph autodiff folder text image models rollout pool reward align eval run jobs'.split(' ')

const violations: readonly [path: string, statement: string][] = [
  ['src/shared/planted.ts', "export type { Database } from 'better-sqlite3'"],
  ['src/shared/planted.ts', "import type { connect } from '../main/db/connection.ts'\nexport type C = typeof connect"],
  ['src/preload/planted.ts', "import { readFileSync } from 'node:fs'\nexport const read = readFileSync"],
  [
    'src/renderer/src/planted.ts',
    "import type { connect } from '../../main/db/connection.ts'\nexport type C = typeof connect",
  ],
  ['src/renderer/src/planted.ts', "import { app } from 'electron'\nexport const a = app"],
  ['src/renderer/src/features/runs/planted.ts', "import { Runs } from '../../pages/Runs.tsx'\nexport const r = Runs"],
  [
    'src/renderer/src/ui/planted.ts',
    "import { RunList } from '../features/runs/RunList.tsx'\nexport const r = RunList",
  ],
  ['src/main/db/planted.ts', "import { logger } from '../log.ts'\nexport const l = logger"],
  ['src/main/files/planted.ts', "import { connect } from '../db/connection.ts'\nexport const c = connect"],
  ['src/main/library/planted.ts', "import { app } from 'electron'\nexport const a = app"],
  [
    'src/main/app/planted.ts',
    "import type { OrtSession } from '../engine/graph/ortSession.ts'\nexport type S = OrtSession",
  ],
  ['src/main/headless/planted.ts', "import { app } from 'electron'\nexport const a = app"],
  ['src/main/headless/planted.ts', "export const late = import('../app/report/printReport.ts')"],
  ['src/main/headless/planted.ts', "export const late = import('../engine/run/align.ts')"],
  ['src/main/engine/graph/planted.ts', "import ort from 'onnxruntime-node'\nexport const o = ort"],
  ['src/main/engine/models/planted.ts', "export const late = import('../rollout/generate.ts')"],
  [
    'src/main/engine/models/shared/planted.ts',
    "import type { Llava } from '../../run/models.ts'\nexport type L = Llava",
  ],
  ['src/main/engine/align/dpo/planted.ts', "import { warmUp } from '../ppo/valueWarmup.ts'\nexport const w = warmUp"],
  ['src/main/engine/reward/planted.ts', "import { readFile } from 'node:fs/promises'\nexport const r = readFile"],
  ['src/main/engine/run/planted.ts', "import { connect } from '../../db/connection.ts'\nexport const c = connect"],
  ['src/main/engine/jobs/planted.ts', "import { app } from 'electron'\nexport const a = app"],
  ['src/main/engine/jobs/planted.ts', "import ort from 'onnxruntime-node'\nexport const o = ort"],
  ['src/main/engine/worker.ts', "import { align } from './run/align.ts'\nexport const a = align"],
  ['src/main/engine/rng.ts', "import type { Graph } from './graph/ir.ts'\nexport type G = Graph"],
  // Each room sees those before it, and none that comes after.
  ...engineRooms.slice(0, -1).map((room, i): [string, string] => {
    return [`src/main/engine/${room}/planted.ts`, `export type { T } from '../${engineRooms[i + 1]}/t.ts'`]
  }),
]

const allowed: readonly [path: string, statement: string][] = [
  ['src/shared/fine.ts', "import { z } from 'zod'\nexport const s = z.string()"],
  ['src/renderer/src/pages/fine.ts', "import { request } from '../api.ts'\nexport const r = request"],
  [
    'src/renderer/src/pages/sees.ts',
    "import { RunList } from '../features/runs/RunList.tsx'\nexport const r = RunList",
  ],
  ['src/renderer/src/features/runs/sees.ts', "import { Chart } from '../charts/Chart.tsx'\nexport const c = Chart"],
  ['src/renderer/src/features/runs/fine.ts', "import { keys } from '../../queries/keys.ts'\nexport const k = keys"],
  [
    'src/main/engine/models/fine.ts',
    "import { OrtSession } from '../graph/ortSession.ts'\nexport const s = OrtSession",
  ],
  ['src/main/engine/graph/ortSession.ts', "import ort from 'onnxruntime-node'\nexport const o = ort"],
  ['src/main/engine/jobs/fine.ts', "import { connect } from '../../db/connection.ts'\nexport const c = connect"],
  ['src/main/engine/align/ppo/fine.ts', "import { adamw } from '../optimiser/adamw.ts'\nexport const a = adamw"],
  ...engineRooms.slice(1).map((room, i): [string, string] => {
    return [`src/main/engine/${room}/sees.ts`, `export type { T } from '../${engineRooms[i]}/t.ts'`]
  }),
  [
    'src/main/headless/fine.ts',
    "import { runReportHtml } from '../app/report/runReport.ts'\nexport const r = runReportHtml",
  ],
  ['src/main/headless/sees.ts', "export const late = import('../engine/jobs/runJob.ts')"],
  ['src/main/db/fine.ts', "import { stat } from 'node:fs/promises'\nexport const s = stat"],
]

// A tree of its own with the project's rules, so that a planted file can never be left behind in the project.
let tree = ''
let findings: { path: string; rule: string }[] = []

function plant(path: string, source: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true })
  writeFileSync(join(tree, path), `${source}\n`)
}

/** A name of its own for each planted file, since several stand in one folder. */
const numbered = (path: string, index: number): string => path.replace('planted', `planted${index}`)

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'fisao-floors-'))
  for (const file of ['biome.jsonc', '.gitignore']) copyFileSync(join(projectRoot, file), join(tree, file))
  for (const [index, [path, source]] of violations.entries()) plant(numbered(path, index), source)
  for (const [path, source] of [...allowed, ...circle]) plant(path, source)
  const command = [packageBin('@biomejs/biome', 'biome'), 'lint', '--reporter=json', '--max-diagnostics=none', '.']
  const { stdout } = spawnSync(process.execPath, command, { cwd: tree, encoding: 'utf8' })
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { category: string; location: { path: string } }[] }
  findings = diagnostics.map(({ category, location }) => ({ path: location.path, rule: category }))
})

afterAll(() => rmSync(tree, { recursive: true, force: true }))

const floorRule = 'lint/style/noRestrictedImports'

const circle: readonly [path: string, statement: string][] = [
  ['src/main/app/circleA.ts', "import type { B } from './circleB.ts'\nexport type A = B"],
  ['src/main/app/circleB.ts', "import type { A } from './circleA.ts'\nexport type B = A"],
]

test.each(circle)('%s may not be part of a circle, not even of types', (path) => {
  expect(findings).toContainEqual({ path, rule: 'lint/suspicious/noImportCycles' })
})

describe('import floors', () => {
  test.each(violations.map(([path, source], index) => [numbered(path, index), source]))(
    '%s may not contain: %s',
    (path) => {
      expect(findings).toContainEqual({ path, rule: floorRule })
    },
  )

  test.each(allowed)('%s may contain: %s', (path) => {
    expect(findings).not.toContainEqual({ path, rule: floorRule })
  })
})
