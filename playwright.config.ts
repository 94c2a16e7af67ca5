// End-to-end tests drive the built app in a real window: one at a time here, two in `npm test` but for those that measure.
import { defineConfig } from '@playwright/test'
import { telemetryOff } from './src/shared/telemetryOff.ts'

Object.assign(process.env, telemetryOff)

export default defineConfig({
  testDir: 'e2e',
  globalSetup: './scripts/playwrightSetup.ts',
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  outputDir: 'test-results',
})
