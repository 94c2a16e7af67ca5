// The control in a run's report: what the same run came to with a verifier that cannot know the image, and what the run
// did beyond it.
import type { ChairReport, FigureComparison } from '../../../shared/evaluation.ts'
import { figureKinds } from './figures.ts'
import { directionOf, fixed, html, type Markup, table, withInterval } from './markup.ts'
import type { RunReport } from './reportData.ts'

const shown = ['chairI', 'chairS', 'recall', 'meanLength', 'repetition'] as const

/** One sentence for the top of the page; null when no placebo was judged. */
export function placeboSentence({ evaluation, steps }: RunReport): Markup | null {
  if (!evaluation?.placebo) return null
  if (steps.best === 0) {
    return html`<p class="placebo">There is nothing to hold against its placebo: the figures are of the model as it came.</p>`
  }
  const { figures, placebo } = evaluation
  const { chairI, recall } = placebo.beyond
  const beyond = `${withInterval(chairI.difference, 100, 1)} points of CHAIR_i and ${withInterval(recall.difference, 100, 1)} of recall`
  const direction = directionOf(chairI.difference)
  const verdict =
    direction < 0
      ? html`<strong>The effect goes beyond the placebo.</strong>`
      : html`<strong>No effect beyond the placebo can be told${direction > 0 ? ': the placebo did better' : ''}.</strong>`
  return html`<p class="placebo">${verdict} The same run with each image judged by another one ${change(placebo.figures.chairI)},
this run ${change(figures.chairI)}; beyond it lie ${beyond}.</p>`
}

function change({ relativeReduction }: FigureComparison): string {
  const { value } = relativeReduction
  if (value === null) return 'leaves no CHAIR_i to compare'
  return `${value < 0 ? 'raises' : 'lowers'} CHAIR_i by ${fixed(Math.abs(value) * 100, 0)} %`
}

/** The figures of all three, and the paired difference between run and placebo. */
export function placeboSection({ evaluation, steps }: RunReport): Markup | null {
  if (!evaluation?.placebo || steps.best === 0) return null
  const { figures, placebo } = evaluation
  const rows = shown.map((name) => {
    const { title, unit, scale, decimals } = figureKinds[name]
    const cell = (estimate: FigureComparison['before']) =>
      html`<td class="number">${withInterval(estimate, scale, decimals)}</td>`
    return html`<tr><th scope="row">${title}, ${unit}</th>
${cell(figures[name].before)}${cell(placebo.figures[name].after)}${cell(figures[name].after)}${cell(placebo.beyond[name].difference)}</tr>`
  })
  return html`<section aria-labelledby="placebo">
<h2 id="placebo">Beyond the placebo</h2>
<p>A model that is penalised for object words learns to name fewer of them, the least certain first, and that lowers CHAIR
without any knowledge. So the same run was made once more with a verifier that cannot know: each image was judged by another
image’s embedding. Only what lies beyond it was learned from the pictures.</p>
${table(
  'placebo-table',
  'The model as it came, the placebo and this run at the same step, with 95 % intervals',
  [
    ['Figure', 'text'],
    ['As it came', 'number'],
    ['Placebo', 'number'],
    ['This run', 'number'],
    ['Beyond the placebo', 'number'],
  ],
  rows,
)}
<p class="note">${signature(placebo.figures)} The last column is paired by image, as the other differences are.</p>
</section>`
}

/** What became of the model in the hands of a verifier that knows nothing: the failure that the paper warns of. */
function signature({ chairI, recall }: NonNullable<ChairReport['placebo']>['figures']): string {
  const lost = directionOf(recall.difference) < 0
  const grew = directionOf(chairI.difference) > 0
  const points = fixed(Math.abs(recall.difference.value ?? 0) * 100, 1)
  if (grew) return 'In the placebo the model’s errors grew, as the paper warns of an encoder that is badly aligned.'
  if (lost) {
    return (
      `In the placebo recall falls by ${points} points: the model names less, right words with wrong ones. That is the ` +
      'failure that the paper warns of, an encoder that cannot tell does not repair, it damages.'
    )
  }
  return 'The placebo neither lost recall nor made more errors here, as far as the intervals can tell.'
}
