// End-to-end tests drive the built app in a real window, each worker's on a display of its own. Those that measure frames
// or kill processes at random have the machine for themselves: `npm run test:e2e` runs the two projects one after the other.
import { defineConfig } from '@playwright/test'
import { telemetryOff } from './src/shared/telemetryOff.ts'

Object.assign(process.env, telemetryOff)

const alone = ['demo', 'engine', 'inspector', 'kill', 'killAll', 'scroll'].map((name) => `**/${name}.spec.ts`)

export default defineConfig({
  testDir: 'e2e',
  globalSetup: './scripts/playwrightSetup.ts',
  workers: 2,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  outputDir: 'test-results',
  projects: [
    { name: 'together', testIgnore: alone },
    { name: 'alone', testMatch: alone, workers: 1 },
  ],
})
