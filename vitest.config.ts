// Unit tests stand beside their source and run on the Electron runtime that the app runs on.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { runtimeEnvironment, setUp } from './scripts/setup.ts'
import { builtThread } from './scripts/testScripts.ts'
import { telemetryOff } from './src/shared/telemetryOff.ts'

const runtime = await setUp()
// Vite asks for Node 20.19 and the registry's Electron carries 20.18, so Vitest itself stays on the system's
// Node. Its workers are forked from `process.execPath`: naming Electron there runs every test on Electron's
// Node. (The pool's own `execArgv` can add arguments but not name another executable.)
process.execPath = runtime.electronPath

// In this process, for the threads of the tools' tests: what Vitest sets in a thread reaches no native code.
Object.assign(process.env, telemetryOff)

export default defineConfig({
  test: {
    // Two cores: most tests wait, for processes and disks, for as long as they compute.
    maxWorkers: 4,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    globalSetup: './scripts/testScripts.ts',
    env: {
      FISAO_RUNTIME_DIST: runtime.distPath,
      // Not a person's own cache.
      FISAO_MODEL_CACHE: join(tmpdir(), 'fisao-test-models'),
      FISAO_ENGINE_THREAD: builtThread,
      ...runtimeEnvironment(runtime, {}),
    },
    projects: [
      {
        extends: true,
        test: {
          name: 'app',
          include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
          pool: 'forks',
          env: { ELECTRON_RUN_AS_NODE: '1' },
        },
      },
      // The tools never run inside the app: their tests stay on the system's Node, in threads of Vitest's own process.
      { extends: true, test: { name: 'tools', include: ['tools/**/*.test.ts'], pool: 'threads' } },
    ],
  },
})
