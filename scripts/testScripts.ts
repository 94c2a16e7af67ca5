// The programs and the threads that unit tests start, built once before the first of them: a process that reads the sources
// itself, through tsx, computes for two to three seconds before its first line.
import { rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'vite'
import type { TestProject } from 'vitest/node'
import type { TestScripts } from '../src/main/testing/scripts.ts'
import { projectRoot } from './runProgram.ts'

const sources: TestScripts = {
  job: 'scripts/job.ts',
  command: 'src/main/headless/main.ts',
  engineThread: 'src/main/engine/pool/workerThread.ts',
  alignmentWorker: 'src/main/app/testing/alignmentWorker.ts',
  probeWorker: 'src/main/app/testing/probeWorker.ts',
  alignWorkspace: 'src/main/engine/jobs/testing/alignWorkspace.ts',
  exportWorkspace: 'src/main/engine/jobs/testing/exportWorkspace.ts',
  listAnnotated: 'src/main/engine/jobs/testing/listAnnotated.ts',
  fuzzChild: 'src/main/engine/folder/testing/fuzzChild.ts',
  holdWorkspace: 'src/main/db/testing/holdWorkspace.ts',
  writeSteps: 'src/main/db/testing/writeSteps.ts',
  claimCells: 'src/main/files/testing/claimCells.ts',
  fuseServer: 'src/main/headless/testing/fuseServer.ts',
}

const folder = join(projectRoot, `node_modules/.vite/test-scripts-${process.pid}`)

/** A thread of the engine, for the pools that tests open in their own process. */
export const builtThread = join(folder, 'engineThread.js')

/** A file finds what lies beside its source; the thread pool finds its built thread. */
const beside: Plugin = {
  name: 'beside',
  enforce: 'pre',
  transform(code, id) {
    if (id.includes('node_modules') || basename(id) === 'poolThread.ts') return null
    const places = { dirname: dirname(id), filename: id, url: pathToFileURL(id).href }
    return code.replaceAll(/\bimport\.meta\.(dirname|filename|url)\b/g, (found, name: keyof typeof places) =>
      // By its address, a program tells whether it was started itself.
      name === 'url' && this.getModuleInfo(id)?.isEntry ? found : JSON.stringify(places[name]),
    )
  },
}

/** Builds them as the command is built. @returns what takes them away */
export default async function setup(project: TestProject): Promise<() => void> {
  const input = Object.fromEntries(Object.entries(sources).map(([name, path]) => [name, join(projectRoot, path)]))
  const make = async () => {
    await build({
      ...{ configFile: join(projectRoot, 'headless.vite.config.ts'), logLevel: 'warn', plugins: [beside] },
      build: { outDir: folder, rollupOptions: { input } },
    })
    // Below node_modules, Node takes no other package's word for it.
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  }
  await make()
  project.provide(
    'scripts',
    Object.fromEntries(
      Object.keys(sources).map((name) => [name, join(folder, `${name}.js`)]),
    ) as unknown as TestScripts,
  )
  project.onTestsRerun(make)
  return () => rmSync(folder, { recursive: true, force: true })
}
