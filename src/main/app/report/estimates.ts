// What a run came to by its own looks, where no annotation has counted anything: one sentence that claims no more than its
// interval, the large figures, and the table with what an estimate by the verifier that also gave the rewards can mean.
import { changeInterval } from '../../../shared/look.ts'
import type { LookView } from '../../../shared/runView.ts'
import { fixed, html, type Markup, signed, table, whole } from './markup.ts'
import type { RunReport, WorkspaceRun } from './reportData.ts'

/** The look at the model as it came and the one at the reported step; null where one was not taken. */
export function lookedAt(run: WorkspaceRun, step: number): { before: LookView | null; after: LookView | null } {
  const at = (wanted: number): LookView | null => run.looks.find((look) => look.step === wanted) ?? null
  return { before: at(0), after: at(step) }
}

/** The result in one sentence. */
export function estimateHeadline(run: WorkspaceRun, { steps, outcome }: RunReport): Markup {
  const { before, after } = lookedAt(run, steps.best)
  if (!before) return html`<p class="headline">No look was taken yet, so there is nothing to tell of what changed.</p>`
  if (steps.best === 0) return html`<p class="headline">${outcome}</p>`
  if (!after) {
    return html`<p class="headline">Step ${steps.best} was not looked at: looks are taken every few steps, and this is none of them.</p>`
  }
  const fromTo = `from ${percent(before.hallucinationRate)} to ${percent(after.hallucinationRate)} of all object words`
  const { change } = after
  if (!change) {
    const verb = after.hallucinationRate < before.hallucinationRate ? 'fell' : 'rose'
    return html`<p class="headline">By the verifier’s estimate hallucinated words ${verb} ${fromTo} at step ${steps.best}; how much of that is noise was not stored.</p>`
  }
  const { low, high } = changeInterval(change)
  const images = `${whole(change.images)} validation images`
  if (low <= 0 && high >= 0) {
    return html`<p class="headline">No clear change in hallucinated words at step ${steps.best}: ${fromTo} by the verifier’s estimate on ${images} (95 % interval of the difference ${points(low)} to ${points(high)} points, which holds 0).</p>`
  }
  const isFall = change.difference < 0
  const size = fixed(Math.abs(change.difference) * 100, 1)
  const [from, to] = isFall ? [-high, -low] : [low, high]
  return html`<p class="headline ${isFall ? 'better' : 'worse'}">By the verifier’s estimate hallucinated words ${isFall ? 'fell' : 'rose'} by ${size} points (95 % interval ${fixed(from * 100, 1)} to ${fixed(to * 100, 1)}), ${fromTo}, on ${images} at step ${steps.best}.</p>`
}

/** What a reader of the headline must know beside it. */
export function estimateRemarks(run: WorkspaceRun, { steps, config }: RunReport): Markup {
  const trained = config?.reward.method === 'none' ? ['Nothing was trained: before and after are the same model.'] : []
  const best =
    steps.best > 0 && !run.isOfBest
      ? [`Step ${steps.best} was chosen by a person; it is not the step that the run itself kept as its best.`]
      : steps.best > 0
        ? [
            '“Best” is the step whose hallucinated words fell beyond noise and the most, by the verifier’s estimate, while right objects and length were kept.',
          ]
        : []
  const bound =
    steps.best > 0
      ? [
          'After training this estimate is at best a lower bound: the verifier that gave the rewards also judges, and what it leaves over is what it wrongly takes for right. Annotations or people settle it.',
        ]
      : []
  const sentences = [...trained, ...run.ending, ...best, ...bound]
  return html`<ul class="remarks">${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul>`
}

const figures = [
  { title: 'Hallucinated words', unit: '%', scale: 100, decimals: 1, of: (look: LookView) => look.hallucinationRate },
  { title: 'Right objects named', unit: 'a response', scale: 1, decimals: 2, of: (look: LookView) => look.coverage },
  { title: 'Length', unit: 'words', scale: 1, decimals: 1, of: (look: LookView) => look.meanWords },
  {
    title: 'Repeated objects',
    unit: 'a response',
    scale: 1,
    decimals: 2,
    of: (look: LookView) => look.meanRepeatedMentions,
  },
] as const

/** The figures, large. */
export function estimateTiles(run: WorkspaceRun, step: number): Markup | null {
  const { before, after } = lookedAt(run, step)
  if (!before || !after) return null
  const shown = figures.map(({ title, unit, scale, decimals, of }) => {
    const [first, last] = [before, after].map((look) => fixed(of(look) * scale, decimals))
    const was =
      step === 0 ? null : html`${first ?? ''} <span aria-hidden="true">→</span><span class="hidden"> to </span> `
    return html`<div><dt>${title}, ${unit}</dt><dd>${was}<strong>${last ?? ''}</strong></dd></div>`
  })
  return html`<dl class="tiles">${shown}</dl>`
}

/** The table of estimates with their intervals, and how to read them. */
export function estimateSection(run: WorkspaceRun, { steps }: RunReport): Markup {
  const { before, after } = lookedAt(run, steps.best)
  if (!before) {
    return html`<section aria-labelledby="figures"><h2 id="figures">Estimates</h2>
<p>There are none: the run took no look at its validation images.</p></section>`
  }
  const isCompared = steps.best > 0 && after !== null
  const rows = figures.map(({ title, unit, scale, decimals, of }, i) => {
    const cell = (look: LookView) =>
      html`<td class="number">${fixed(of(look) * scale, decimals)}${i === 0 ? rateSpan(look) : ''}</td>`
    const change = after && i === 0 && after.change
    const difference = after && signed((of(after) - of(before)) * scale, decimals)
    const span = change ? ` (${points(changeInterval(change).low)} to ${points(changeInterval(change).high)})` : ''
    const compared = isCompared && after ? html`${cell(after)}<td class="number">${difference ?? ''}${span}</td>` : null
    return html`<tr><th scope="row">${title}, ${unit}</th>${cell(before)}${compared}</tr>`
  })
  const head = [
    ['Figure', 'text'],
    ['As it came', 'number'],
    ...(isCompared
      ? ([
          [`Step ${steps.best}`, 'number'],
          ['Difference', 'number'],
        ] as const)
      : []),
  ] as const
  return html`<section aria-labelledby="figures">
<h2 id="figures">Estimates</h2>
${table('figure-table', 'Greedy responses to the validation images, by the verifier’s estimates, with 95 % intervals', head, rows)}
<p class="note">No annotation was read for any of these. How probably a word is hallucinated follows from its score and the two
groups of scores that the calibration found; the rate is what makes all scores likeliest. The interval of a rate is over
responses, that of the difference is paired by image, in points, and does not know that the step was chosen among
${whole(run.looks.length)} looks. Right objects, length and repeats have no interval in looks.</p>
</section>`
}

/** " (15.0 to 20.0)", or nothing for looks of earlier versions. */
export function rateSpan({ hallucinationRateLow: low, hallucinationRateHigh: high }: LookView): string {
  return low === undefined || high === undefined ? '' : ` (${fixed(low * 100, 1)} to ${fixed(high * 100, 1)})`
}

export function points(share: number): string {
  return fixed(share * 100, 1)
}

function percent(share: number): string {
  return `${fixed(share * 100, 1)} %`
}
