// Unit tests stand beside their source and run on the Electron runtime that the app runs on.
import { defineConfig } from 'vitest/config'
import { runtimeEnvironment, setUp } from './scripts/setup.ts'

const runtime = await setUp()
// Vitest itself stays on the system's Node, which Vite asks for; its workers are forked from
// `process.execPath`, so naming Electron there runs every test on Electron's Node.
process.execPath = runtime.electronPath

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'scripts/**/*.test.ts', 'tools/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    env: { ELECTRON_RUN_AS_NODE: '1', FISAO_RUNTIME_DIST: runtime.distPath, ...runtimeEnvironment(runtime, {}) },
  },
})
