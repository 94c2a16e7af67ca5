// The report of a run that nobody has counted anything for: from a real workspace, in the sentences that a person reads.
import { expect, test } from 'vitest'
import type { RunId } from '../../../shared/domain.ts'
import { hostileStrings } from '../../../shared/testing/hostileStrings.ts'
import { storeCheckpoint } from '../../db/checkpoints.ts'
import { inTransaction, type WritableDb } from '../../db/connection.ts'
import { storeLook } from '../../db/looks.ts'
import { storeMetrics } from '../../db/metrics.ts'
import { createRun, runById } from '../../db/runs.ts'
import { temporaryWorkspace } from '../../db/testing/temporaryWorkspace.ts'
import { detailOf } from '../runViews.ts'
import { gatherReport } from './gatherReport.ts'
import { mostSamples } from './gatherSamples.ts'
import { runReportHtml } from './runReport.ts'
import { fillReportWorkspace, lookedAtImages } from './testing/reportWorkspace.ts'

const nowMs = Date.UTC(2026, 10, 27, 12, 0)
const versions = { 'FiSAO Studio': '0.1.0' }

function reportOf(db: WritableDb, runId: RunId, step: number | null = null) {
  const run = runById(db, runId)
  if (!run) throw new Error('no such run')
  return gatherReport(db, detailOf(db, run, { live: null, waitingFor: null }), { step, nowMs, versions })
}

const textOf = (markup: string) =>
  markup
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')

function workspace() {
  const { db } = temporaryWorkspace(lookedAtImages * 3)
  return { db, runs: fillReportWorkspace(db) }
}

test('a run without annotations: what ended it, its estimates with intervals, and that they are a lower bound', () => {
  const { db, runs } = workspace()
  const page = runReportHtml(reportOf(db, runs.aligned))
  const text = textOf(page)
  // 20 steps of 0.0038 are 7.6 points of 17.2 %; t of 31 degrees of freedom is 2.04, times the error of 1.8 is 3.7.
  expect(text).toContain(
    'hallucinated words fell by 7.6 points (95 % interval 3.9 to 11.3), from 17.2 % to 9.6 % of all object words, on 32 validation images at step 20',
  )
  expect(text).toContain('It came to its end: all 24 steps were done.')
  expect(text).toContain('at best a lower bound')
  expect(text).toContain('“Best” is the step whose')
  expect(text).toContain('9.6 (7.4 to 12.1)')
  expect(text).toContain('−7.6 (−11.3 to −3.9)')
  expect(text).not.toMatch(/CHAIR_i|Not evaluated|held-out/)
  // Files, hashes, device, times, left out, how to repeat.
  expect(text).toMatch(/7{64}.*8{64}.*9{64}.*a{64}.*b{64}/)
  expect(text).toMatch(/Device cpu .*Started 2026-11-26 09:00 UTC Ended 2026-11-26 09:21 UTC/)
  expect(text).toContain('2 images could not be read at some step')
  expect(text).toContain('It is no longer the file that was added.')
  expect(text).toContain('fisao-studio-run run.json (in a checkout npm run job -- run.json')
  expect(text).toContain('28 800 tokens generated in training, on 64 images.')
  expect(text).toMatch(/In all 1 300\.0|In all 1300\.0/)
  expect(page).not.toMatch(/<script|<link|@import|url\(|(src|href)="(?!data:|#)/)
})

test('the placebo: what lies beyond it by the looks, and what it paid', () => {
  const { db, runs } = workspace()
  const text = textOf(runReportHtml(reportOf(db, runs.aligned)))
  // -7.6 points less -1.6; the errors add to 1.8 * sqrt(2) = 2.55, times 2.04 is 5.2.
  expect(text).toContain('The effect goes beyond the placebo.')
  expect(text).toContain('lie −6.0 points of hallucinated words (95 % interval −11.2 to −0.8).')
  // 20 steps of 0.02 are 0.4 of 2.98 objects.
  expect(text).toContain('The placebo paid with 13.4 % of its right objects')
  const placebo = textOf(runReportHtml(reportOf(db, runs.placebo, 24)))
  expect(placebo).toContain('This run is a placebo.')
  expect(placebo).toContain('It is the control of “ Street scenes ”.')
  expect(placebo).toContain('The placebo paid with 16.1 % of its right objects')
})

test('without a placebo an effect is said to be unknown, and a step that is not the best one is named as chosen', () => {
  const { db, runs } = workspace()
  const text = textOf(runReportHtml(reportOf(db, runs.alone, 12)))
  expect(text).toContain('No clear change in hallucinated words at step 12')
  expect(text).toContain('which holds 0')
  expect(text).toContain('how much of this was learned from the pictures is not known')
  expect(text).toContain('An effect without its control is not known')
  expect(text).toContain('Step 12 was chosen by a person')
  const best = textOf(runReportHtml(reportOf(db, runs.alone)))
  expect(best).toContain('Nothing changed beyond noise')
  expect(best).not.toMatch(/placebo/i)
  expect(() => reportOf(db, runs.alone, 99)).toThrow(expect.objectContaining({ code: 'run.no-checkpoint' }))
})

test('a forced run is warned of, and its own estimates prove nothing', () => {
  const { db, runs } = workspace()
  const text = textOf(runReportHtml(reportOf(db, runs.forced)))
  expect(text).toContain('Do not trust this run: its verifier was refused')
  expect(text).toContain('its own estimate of the hallucination rate went from 17.2 % to 9.0 %')
  expect(text).toContain('whether the model’s errors grew is not known')
})

test('runs that were stopped before their first step, or failed before their first look', () => {
  const { db, runs } = workspace()
  const stopped = textOf(runReportHtml(reportOf(db, runs.stopped)))
  expect(stopped).toContain('A person stopped it at step 0 of 24.')
  expect(stopped).toContain('The model as it came; no later step was looked at yet.')
  expect(stopped).toContain('As it came')
  const failed = textOf(runReportHtml(reportOf(db, runs.failed)))
  expect(failed).toContain('It failed at step 0 of 24.')
  expect(failed).toContain('Needed: AUROC of at least 0.65; found: 0.503.')
  expect(failed).toContain('No look was taken yet')
  expect(failed).toContain('No calibration was stored with this run.')
})

test('samples: 24 of the changed images with thumbnails, words by the verdicts of the verifier', () => {
  const { db, runs } = workspace()
  const report = reportOf(db, runs.aligned)
  // Of images 1 to 32, those whose number six divides did not change.
  expect(report.run?.compared).toEqual({ images: 32, changed: 27, damaged: 0 })
  expect(report.run?.samples).toHaveLength(mostSamples)
  const page = runReportHtml(report)
  expect([...page.matchAll(/<img src="data:image\/webp;base64,cGljdHVyZQ=="/g)]).toHaveLength(mostSamples)
  expect(page.includes('<span class="word neutral" title="kite: neutral, score 0.24">')).toBe(true)
  expect(page).toMatch(/<del class="word hallucinated" title="[a-z]+: hallucinated, score 0\.\d\d, not named after">/)
  const alone = reportOf(db, runs.alone)
  expect(alone.run?.samples.every(({ after }) => after === null)).toBe(true)
})

test('a response that was damaged is left out and counted', () => {
  const { db, runs } = workspace()
  db.prepare("UPDATE rollout SET text = 'something else' WHERE run_id = ? AND step = 20 AND image_id = 1").run(
    runs.aligned,
  )
  const report = reportOf(db, runs.aligned)
  expect(report.run?.compared.damaged).toBe(1)
  expect(report.run?.samples).toHaveLength(mostSamples - 1)
  expect(textOf(runReportHtml(report))).toContain('1 response was damaged in the workspace and left out here.')
})

test('hostile names and captions stay text, every one of them', () => {
  const { db, runs } = workspace()
  const page = runReportHtml(reportOf(db, runs.hostile))
  const tags = new Set([...page.matchAll(/<([a-z!][a-z0-9]*)/gi)].map(([, tag]) => tag))
  for (const tag of ['script', 'iframe', 'object', 'embed', 'form', 'link', 'base', 'math', 'template']) {
    expect(tags).not.toContain(tag)
  }
  // Quotes of texts are escaped, so what stands in quotes is a value.
  const bare = page.replace(/"[^"]*"/g, '""')
  expect(bare.match(/<[^>]*\s(on\w+|srcdoc|formaction)=/i)).toBeNull()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
  expect(page.search(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)).toBe(-1)
  expect(Buffer.from(page).toString()).toBe(page)
  expect(hostileStrings.length).toBeGreaterThanOrEqual(300)
  expect(new Set(hostileStrings).size).toBe(hostileStrings.length)
})

test('10,000 steps give a page of bounded size in bounded time', () => {
  const { db, modelId } = temporaryWorkspace()
  const runId = createRun(db, { modelId, name: 'long', preset: 'paper', config: {}, seed: 1 }, 1)
  inTransaction(db, () => {
    for (let step = 0; step <= 10_000; step++) {
      const parts = { adapter: Uint8Array.of(1) }
      storeCheckpoint(db, { runId, parentId: null, step, cursor: {}, summary: {}, parts }, step)
      const figures = { hallucinationRate: 0.1, coverage: 3, meanWords: 16, meanRepeatedMentions: 0 }
      storeLook(db, runId, step, { step, ...figures })
      storeMetrics(db, runId, step, { klNats: 0.1, meanReward: step, tokens: 3, 'time.updateMs': 1000 })
    }
  })
  const startMs = performance.now()
  const report = reportOf(db, runId, 7123)
  const page = runReportHtml(report)
  expect(performance.now() - startMs).toBeLessThan(3000)
  expect(page.length).toBeLessThan(1_000_000)
  expect(report.tokensGenerated).toBe(30_003)
  expect(report.durationS.update).toBe(10_001)
  expect(report.run?.looks.some(({ step }) => step === 7123)).toBe(true)
})
