// The figures of a run's report: a sentence that says what happened, a table with intervals, a breakdown by object.
import { joinFindings } from '../../../shared/annotationJoin.ts'
import type { ChairReport, FigureComparison, ObjectCounts } from '../../../shared/evaluation.ts'
import {
  type Content,
  directionOf,
  fixed,
  html,
  intervalText,
  type Markup,
  signed,
  table,
  whole,
  withInterval,
} from './markup.ts'
import type { RunReport } from './reportData.ts'

interface FigureKind {
  readonly title: Content
  readonly meaning: string
  readonly unit: string
  readonly scale: number
  readonly decimals: number
  readonly better: 'lower' | 'higher' | null
}

const share = { unit: '%', scale: 100, decimals: 1 } as const
export const figureKinds: Readonly<Record<keyof ChairReport['figures'], FigureKind>> = {
  chairI: {
    ...share,
    title: html`CHAIR<sub>i</sub>`,
    meaning: 'hallucinated mentions, of all object mentions',
    better: 'lower',
  },
  chairIUnique: {
    ...share,
    title: html`CHAIR<sub>i</sub>, unique`,
    meaning: 'the same over different objects, which repeating safe ones does not lower',
    better: 'lower',
  },
  chairS: {
    ...share,
    title: html`CHAIR<sub>s</sub>`,
    meaning: 'responses with a hallucinated mention, of all responses',
    better: 'lower',
  },
  recall: { ...share, title: 'Recall', meaning: 'objects of the images that responses name', better: 'higher' },
  meanLength: {
    title: 'Mean length',
    meaning: 'words a response',
    unit: 'words',
    scale: 1,
    decimals: 1,
    better: null,
  },
  repetition: {
    title: 'Repetition',
    meaning: 'mentions beyond an object’s first, a response',
    unit: 'mentions',
    scale: 1,
    decimals: 2,
    better: 'lower',
  },
}
const figureNames = Object.keys(figureKinds) as (keyof ChairReport['figures'])[]

/** The result in one sentence, as far as the intervals allow it. */
export function headline(evaluation: ChairReport | null): Markup {
  if (!evaluation) {
    return html`<p class="headline">Not evaluated: there were no annotated images to count hallucinations on.</p>`
  }
  const { before, after, difference, relativeReduction } = evaluation.figures.chairI
  if (before.value === null || after.value === null || difference.value === null) {
    const when = before.value === null ? 'Before' : 'After'
    return html`<p class="headline worse">${when} alignment no object was named, so there are no hallucinated mentions to compare.</p>`
  }
  const fromTo = `from ${fixed(before.value * 100, 1)} % to ${fixed(after.value * 100, 1)} %`
  const direction = directionOf(difference)
  if (direction === 0) {
    return html`<p class="headline">No clear change in hallucinated mentions: ${fromTo} of all mentions (95 % interval of the difference ${intervalText(difference, 100, 1)} points, which ${difference.low === null ? 'is missing' : 'holds 0'}).</p>`
  }
  const verb = direction < 0 ? 'fell' : 'rose'
  const by = relativeReduction.value === null ? null : Math.abs(relativeReduction.value)
  const relative =
    by === null
      ? `by ${fixed(Math.abs(difference.value) * 100, 1)} points (95 % interval of the difference ${intervalText(difference, 100, 1)})`
      : `by ${fixed(by * 100, 0)} % (95 % interval ${intervalText(relativeReduction, direction < 0 ? 100 : -100, 0)})`
  return html`<p class="headline ${direction < 0 ? 'better' : 'worse'}">The share of hallucinated mentions ${verb} ${relative}, ${fromTo}; ${recallClause(evaluation.figures.recall)}.</p>`
}

function recallClause({ difference }: FigureComparison): string {
  if (difference.value === null) return 'recall is not defined'
  const direction = directionOf(difference)
  const size = fixed(Math.abs(difference.value) * 100, 1)
  if (direction === 0)
    return `recall shows no clear change (${signed(difference.value * 100, 1)} points, ${intervalText(difference, 100, 1)})`
  const interval = intervalText(difference, 100 * direction, 1)
  return `recall is ${size} points ${direction < 0 ? 'lower' : 'higher'} (${interval})`
}

/** Changes from which on a lower rate may be bought rather than earned. */
const lengthChangeToNote = 0.15
const repetitionRiseToNote = 0.1

/** What a reader of the headline must know beside it. */
export function remarks({ evaluation, steps, config, outcome }: RunReport): Markup | null {
  const found: string[] = []
  if (config?.reward.method === 'none') found.push('Nothing was trained: before and after are the same model.')
  else if (steps.best === 0) {
    found.push(
      'No later checkpoint was better by the verifier than the model as it came, so the figures compare it with itself.',
      outcome,
    )
  }
  if (evaluation) found.push(...joinFindings(evaluation.annotations, 'evaluation'))
  const length = evaluation?.figures.meanLength
  if (length?.before.value && length.after.value !== null) {
    const change = length.after.value / length.before.value - 1
    if (Math.abs(change) >= lengthChangeToNote) {
      found.push(
        `Responses became ${fixed(Math.abs(change) * 100, 0)} % ${change < 0 ? 'shorter' : 'longer'}; part of the change may come from that.`,
      )
    }
  }
  const repetition = evaluation?.figures.repetition.difference.value ?? 0
  if (repetition >= repetitionRiseToNote) {
    found.push(
      `Responses repeat objects more often (${signed(repetition, 2)} mentions a response), which lowers CHAIR without a better description; the unique figure is not fooled by it.`,
    )
  }
  return found.length === 0
    ? null
    : html`<ul class="remarks">${found.map((sentence) => html`<li>${sentence}</li>`)}</ul>`
}

/** The figures that matter most, large. */
export function tiles({ figures }: ChairReport): Markup {
  const shown = (['chairI', 'chairS', 'recall', 'meanLength'] as const).map((name) => {
    const { title, unit, scale, decimals } = figureKinds[name]
    const [before, after] = [figures[name].before.value, figures[name].after.value].map((value) =>
      fixed(value === null ? null : value * scale, decimals),
    )
    return html`<div><dt>${title}</dt><dd>${before ?? ''} <span aria-hidden="true">→</span><span class="hidden"> to </span> <strong>${after ?? ''}</strong> ${unit}</dd></div>`
  })
  return html`<dl class="tiles">${shown}</dl>`
}

/** Table of figures before and after, with their intervals and how those were made. */
export function figureSection(evaluation: ChairReport | null, resamples: number | null): Markup {
  if (!evaluation) {
    return html`<section aria-labelledby="figures"><h2 id="figures">Figures</h2>
<p>There are none: annotated images are needed to count hallucinated mentions.</p></section>`
  }
  const rows = figureNames.map((name) => {
    const { title, meaning, unit, scale, decimals } = figureKinds[name]
    const { before, after, difference } = evaluation.figures[name]
    return html`<tr><th scope="row">${title}, ${unit}<small>${meaning}</small></th>
<td class="number">${withInterval(before, scale, decimals)}</td>
<td class="number">${withInterval(after, scale, decimals)}</td>
<td class="number">${withInterval(difference, scale, decimals)}</td>
<td>${reading(figureKinds[name], evaluation.figures[name])}</td></tr>`
  })
  const drawn = resamples === null ? '' : `, ${whole(resamples)} resamples`
  return html`<section aria-labelledby="figures">
<h2 id="figures">Figures</h2>
${table(
  'figure-table',
  html`Greedy responses to ${whole(evaluation.images)} held-out images, before and after alignment, with 95 % intervals`,
  [
    ['Figure', 'text'],
    ['Before', 'number'],
    ['After', 'number'],
    ['Difference', 'number'],
    ['Reading', 'text'],
  ],
  rows,
)}
<p class="note">n = ${whole(evaluation.images)} images. Intervals: percentile bootstrap over images${drawn}; before and after are
paired by image, so the interval of the difference is not the difference of the intervals. Differences of percentages are
in points. “No clear change” means that the interval holds 0.</p>
</section>`
}

function reading({ better }: FigureKind, { difference }: FigureComparison): Markup {
  const direction = directionOf(difference)
  if (difference.value === null) return html`not defined`
  if (direction === 0) return html`no clear change`
  if (better === null) return html`${direction > 0 ? 'longer' : 'shorter'}`
  const isBetter = (better === 'higher') === direction > 0
  return html`<span class="${isBetter ? 'better' : 'worse'}">${isBetter ? 'better' : 'worse'}</span>`
}

/** Rows that are shown before the rest is folded away. */
const objectsShown = 15

interface ObjectChange {
  readonly name: string
  readonly images: number
  readonly before: ObjectCounts
  readonly after: ObjectCounts
}

/** Hallucinated mentions of each object, the most frequent first. */
export function objectSection(evaluation: ChairReport | null): Markup {
  const changes = evaluation ? objectChanges(evaluation) : []
  const hallucinated = changes.filter(
    ({ before, after }) => before.hallucinatedMentions + after.hallucinatedMentions > 0,
  )
  if (hallucinated.length === 0) {
    return html`<section aria-labelledby="objects"><h2 id="objects">Objects</h2>
<p>${evaluation ? 'No object was hallucinated, before or after.' : 'There is no breakdown without annotated images.'}</p></section>`
  }
  const most = Math.max(
    ...hallucinated.map(({ before, after }) => Math.max(before.hallucinatedMentions, after.hallucinatedMentions)),
  )
  const rows = hallucinated.map((change) => objectRow(change, most))
  const head = [
    ['Object', 'text'],
    ['Images with it', 'number'],
    ['Hallucinated before', 'number'],
    ['Hallucinated after', 'number'],
    ['Change', 'number'],
    ['Before and after', 'text'],
  ] as const
  const rest = rows.slice(objectsShown)
  return html`<section aria-labelledby="objects">
<h2 id="objects">Objects</h2>
${table('object-table', 'Hallucinated mentions by object, most frequent first', head, rows.slice(0, objectsShown))}
${
  rest.length === 0
    ? null
    : html`<details><summary>${rest.length} more objects</summary>${table('object-rest', 'Hallucinated mentions of the other objects', head, rest)}</details>`
}
<p class="note">Counts of a single object are small: a change of a few mentions is chance. In brackets: of how many mentions
in all. ${changes.length - hallucinated.length} other objects were never hallucinated.</p>
</section>`
}

function objectChanges({ byObject }: ChairReport): ObjectChange[] {
  const none = (name: string): ObjectCounts => ({
    ...{ name, annotated: 0, recalled: 0, mentions: 0, hallucinatedMentions: 0 },
  })
  const [before, after] = [byObject.before, byObject.after].map(
    (counts) => new Map(counts.map((one) => [one.name, one])),
  )
  const names = [...new Set([...byObject.before, ...byObject.after].map(({ name }) => name))]
  return names
    .map((name): ObjectChange => {
      const pair = { before: before?.get(name) ?? none(name), after: after?.get(name) ?? none(name) }
      return { name, images: Math.max(pair.before.annotated, pair.after.annotated), ...pair }
    })
    .sort(
      (a, b) =>
        b.before.hallucinatedMentions - a.before.hallucinatedMentions ||
        b.after.hallucinatedMentions - a.after.hallucinatedMentions ||
        (a.name < b.name ? -1 : 1),
    )
}

function objectRow({ name, images, before, after }: ObjectChange, most: number): Markup {
  const width = (count: number): string => fixed((100 * count) / most, 1)
  const cell = ({ hallucinatedMentions, mentions }: ObjectCounts): Markup =>
    html`<td class="number">${whole(hallucinatedMentions)} <span class="quiet">(${whole(mentions)})</span></td>`
  return html`<tr><th scope="row">${name}</th><td class="number">${whole(images)}</td>
${cell(before)}${cell(after)}
<td class="number">${signed(after.hallucinatedMentions - before.hallucinatedMentions, 0)}</td>
<td class="bars"><svg viewBox="0 0 100 14" preserveAspectRatio="none" aria-hidden="true"><rect class="bar-before" width="${width(before.hallucinatedMentions)}" height="6"/><rect class="bar-after" y="8" width="${width(after.hallucinatedMentions)}" height="6"/></svg></td></tr>`
}
