// One run alone and shared with workers on this machine, each process with one thread: times, bytes in the folder and whether the
// learner comes to the same bytes. `npx tsx tools/cluster/shards.ts [JOB.json] [WORKERS,…]`; the tables of docs/cluster.md.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { sqliteBinding } from '../../scripts/setup/sqlite.ts'
import type { RunId } from '../../src/shared/domain.ts'

const root = join(import.meta.dirname, '../..')
const home = mkdtempSync(join(tmpdir(), 'fisao-shards-'))
const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href
const [jobFile, counts = '0,1,2'] = process.argv.slice(2)

const binding = await sqliteBinding(
  { electronPath: process.execPath, napiVersion: Number(process.versions.napi) },
  () => undefined,
)
if (binding !== null) process.env.FISAO_SQLITE_BINDING = binding
const { openWorkspace } = await import('../../src/main/db/open.ts')
const { contentOf } = await import('../../src/main/engine/jobs/testing/demoRun.ts')

interface Ended {
  readonly wallS: number
  readonly userS: number
}

/** The command in a process of its own, under a shell that says what it took. */
async function run(args: readonly string[]): Promise<Ended> {
  const script = join(root, 'src/main/headless/main.ts')
  const command = [process.execPath, '--import', loader, script, ...args, '--progress', 'none']
  const startMs = performance.now()
  const child = spawn('sh', ['-c', '"$@"; code=$?; times; exit $code', 'sh', ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`)
  // The last line is of the shell's children: user and system, minutes and seconds.
  const [minutes, seconds] = (/(\d+)m([\d.]+)s/.exec(said.trim().split('\n').at(-1) ?? '') ?? []).slice(1).map(Number)
  return { wallS: (performance.now() - startMs) / 1000, userS: 60 * (minutes ?? 0) + (seconds ?? 0) }
}

function readRun(path: string) {
  const db = openWorkspace(path)
  try {
    const rows = db
      .prepare<[], { name: string; total: number; largest: number }>(
        'SELECT name, total(value) AS total, max(value) AS largest FROM metric GROUP BY name',
      )
      .all()
    return { content: contentOf(db, 1 as RunId), of: new Map(rows.map((row) => [row.name, row])) }
  } finally {
    db.close()
  }
}

const job = jobFile ?? join(home, 'job.json')
if (jobFile === undefined) {
  const settings = {
    ...{ 'rollout.responsesPerStep': 32, 'rollout.batchSize': 8, 'optimiser.stepsPerRound': 2 },
    ...{ 'calibration.responses': 64, 'calibration.goOnRefused': true },
    ...{ 'evaluation.everySteps': 2, 'evaluation.images': 16, 'optimiser.valueWarmupSteps': 2 },
  }
  const sets = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`])
  await run(['align', '--demo', '--seed', '3', ...sets, '--write-job', job])
}
let alone: ReturnType<typeof readRun>['content'] | null = null
process.stdout.write(
  '| workers | wall s | rollouts s | updates s | learner’s user s | workers’ user s | by others | MB written | nats | same bytes |\n',
)
for (const count of counts.split(',').map(Number)) {
  const [out, folder] = [join(home, `${count}.fisao`), join(home, `share-${count}`)]
  const share = count === 0 ? [] : ['--share', folder]
  const learner = run([job, '--threads', '1', '--out', out, ...share])
  const workers = Array.from({ length: count }, async () => {
    while (!existsSync(join(folder, 'share.json'))) await delay(50)
    return await run(['work', folder, '--threads', '1'])
  })
  const { wallS, userS } = await learner
  const others = await Promise.all(workers)
  const { content, of } = readRun(out)
  const sum = (name: string): number => of.get(name)?.total ?? 0
  alone ??= content
  const figures = [
    ...[wallS, (sum('time.rolloutMs') + sum('time.evaluateMs')) / 1000, sum('time.updateMs') / 1000, userS],
    others.reduce((total, one) => total + one.userS, 0),
  ].map((value) => value.toFixed(1))
  const more = [sum('sharing.responsesByOthers'), (sum('sharing.writtenBytes') / 1e6).toFixed(1)]
  const nats = (of.get('sharing.logProbDifferenceNats')?.largest ?? 0).toExponential(1)
  process.stdout.write(`| ${[count, ...figures, ...more, nats, isDeepStrictEqual(content, alone)].join(' | ')} |\n`)
}
rmSync(home, { recursive: true, force: true })
