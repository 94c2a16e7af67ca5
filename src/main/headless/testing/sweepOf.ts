// What tests of sweeps share: a folder of few scenes, and the work that subcommands are given, with what it says kept.
import { cpSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { sampleScenes } from '../../engine/jobs/testing/demoRun.ts'
import { Reporter } from '../progress.ts'
import { Stopping } from '../stopping.ts'
import type { Work } from '../work.ts'

/** A folder in `home` with copies of the first sample scenes. */
export function firstScenes(home: string, count: number): string {
  const folder = join(home, 'scenes')
  mkdirSync(folder)
  for (const name of readdirSync(sampleScenes).sort().slice(0, count))
    cpSync(join(sampleScenes, name), join(folder, name))
  return folder
}

/** @param onLine called with each line of the progress, as JSON */
export function testWork(onLine: (line: string) => void = () => undefined): Work {
  const streams = { out: onLine, err: () => undefined, isTerminal: false }
  return { reporter: new Reporter('json', streams), stopping: stopping(), resume: false }
}

let shared: Stopping | null = null

/** One for all tests of a process: each would listen to its signals. */
function stopping(): Stopping {
  shared ??= new Stopping(() => undefined)
  return shared
}
