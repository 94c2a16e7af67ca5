// A sweep of two seeds of the demo model that other machines carry out, outside of the app (see onRuntime in studio.ts):
// `sentSweep.ts make FOLDER` writes FOLDER/sweep, carries out its first cell and puts a stranger among its cells;
// `sentSweep.ts go-on FOLDER` carries out the other.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { carryOutCell } from '../src/main/headless/cell.ts'
import { readCommandLine } from '../src/main/headless/commandLine.ts'
import { makeSweep } from '../src/main/headless/sweep.ts'
import { firstScenes, testWork } from '../src/main/headless/testing/sweepOf.ts'

const settings = {
  ...{ 'rollout.responsesPerStep': 4, 'rollout.batchSize': 4, 'rollout.maxNewTokens': 24 },
  ...{ 'calibration.responses': 24, 'calibration.goOnRefused': true, 'optimiser.stepsPerRound': 1 },
  ...{ 'optimiser.minibatchSize': 4, 'optimiser.microBatchSize': 4, 'optimiser.valueWarmupSteps': 1 },
  ...{ 'evaluation.everySteps': 1, 'evaluation.images': 4 },
}
const [command, home = ''] = process.argv.slice(2)
const folder = join(home, 'sweep')
if (command === 'make') {
  const given = ['--demo', '--images', firstScenes(home, 10), '--threads', '1', '--memory', '1', '--seeds', '1-2']
  const set = Object.entries(settings).flatMap(([name, value]) => ['--set', `${name}=${value}`])
  await makeSweep(readCommandLine(['sweep', folder, ...given, ...set], home), testWork())
  mkdirSync(join(folder, 'cells', 'notes'))
}
const options = { scratch: join(home, 'machine'), copyEveryMs: 1_000_000 }
await carryOutCell(folder, command === 'make' ? 1 : 2, options, testWork())
