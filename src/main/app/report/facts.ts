// The facts at the head of a run's report: what ran on what, when, how far.
import { html, type Markup, whole } from './markup.ts'
import type { RunReport } from './reportData.ts'

export function runFacts(report: RunReport): Markup {
  const { images, steps, resumedFrom, versions, run } = report
  const facts: (readonly [string, string])[] = [
    ['Model', report.modelName],
    ['Verifier', report.encoderName ?? 'the model’s own encoder'],
    ['Preset and seed', `${report.preset}, seed ${report.seed}`],
    ['Device', report.device],
    [
      'Images',
      `${whole(images.alignment)} to align on, ${whole(images.validation)} to choose the checkpoint` +
        (report.evaluation || !run ? `, ${whole(images.evaluation)} to evaluate on` : ''),
    ],
    [
      'Steps',
      `${whole(steps.done)} done; the figures are of step ${steps.best}${steps.best === 0 ? ', the model as it came' : ''}`,
    ],
    ...(resumedFrom === null ? [] : [['Resumed', `from step ${resumedFrom}`] as const]),
    [
      'Versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', ') || 'not recorded',
    ],
    ...(run?.startedAtMs ? [['Started', timeText(run.startedAtMs)] as const] : []),
    ...(run?.endedAtMs ? [['Ended', timeText(run.endedAtMs)] as const] : []),
    [run ? 'Report made' : 'Made', timeText(report.createdAtMs)],
  ]
  const rows = facts.map(([name, value]) => html`<div><dt>${name}</dt><dd><bdi>${value}</bdi></dd></div>`)
  const command = report.command && html`<div><dt>Command</dt><dd><code>${report.command}</code></dd></div>`
  return html`<dl class="facts">${rows}${command || null}</dl>`
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
