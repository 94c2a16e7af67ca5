// The control of a run by its looks, where no annotation has counted anything: what lies beyond the placebo, what the
// placebo paid, and that an effect without its control is not known.
import { changeInterval } from '../../../shared/look.ts'
import type { LookView } from '../../../shared/runView.ts'
import { lookedAt, points, rateSpan } from './estimates.ts'
import { fixed, html, type Markup, signed, table } from './markup.ts'
import type { RunReport, WorkspaceRun } from './reportData.ts'

/** Of the right objects; below it nothing is said of a loss. */
const smallLoss = 0.02

interface Beyond {
  readonly before: LookView
  readonly own: LookView
  readonly placebo: LookView
  /** Of the shares of hallucinated words: this run less its placebo; the interval is null in looks of earlier versions. */
  readonly difference: number
  readonly interval: { readonly low: number; readonly high: number } | null
}

/** This run and its placebo at the reported step; null where one of them was not looked at there. */
function beyondOf(run: WorkspaceRun, step: number): Beyond | null {
  const { before, after: own } = lookedAt(run, step)
  const placebo = run.counterpart?.looks.find((look) => look.step === step) ?? null
  if (step === 0 || !before || !own || !placebo) return null
  const difference = own.hallucinationRate - placebo.hallucinationRate
  if (!own.change || !placebo.change) return { before, own, placebo, difference, interval: null }
  // Both changes are from the same first look, so as independent ones they are taken to vary rather too much.
  const standardError = Math.hypot(own.change.standardError, placebo.change.standardError)
  const change = {
    difference: own.change.difference - placebo.change.difference,
    standardError,
    images: Math.min(own.change.images, placebo.change.images),
  }
  return { before, own, placebo, difference: change.difference, interval: changeInterval(change) }
}

/** For the top of the page; null when there is nothing to hold against a placebo. */
export function lookPlaceboSentence(run: WorkspaceRun, step: number): Markup | null {
  if (run.isPlacebo) {
    return html`<p class="placebo"><strong>This run is a placebo.</strong> Each image was judged by another one, so nothing in it was learned from the pictures. Only what its run does beyond it counts.</p>`
  }
  if (step === 0) return null
  if (!run.counterpart) {
    return html`<p class="placebo"><strong>There was no placebo, so how much of this was learned from the pictures is not known.</strong> Saying less lowers hallucinated words too.</p>`
  }
  const beyond = beyondOf(run, step)
  if (!beyond) {
    return html`<p class="placebo">Its placebo was not looked at at step ${step}, so what lies beyond it is not known yet.</p>`
  }
  const size = `${signed(beyond.difference * 100, 1)} points of hallucinated words${spanOf(beyond)}`
  return html`<p class="placebo">${verdictOf(beyond)} Beyond its placebo, the same run with each image judged by another one, lie ${size}.</p>`
}

function verdictOf({ interval }: Beyond): Markup {
  if (interval === null)
    return html`<strong>Whether the effect goes beyond the placebo cannot be told: no interval was stored.</strong>`
  if (interval.high < 0) return html`<strong>The effect goes beyond the placebo.</strong>`
  return html`<strong>No effect beyond the placebo can be told${interval.low > 0 ? ': the placebo did better' : ''}.</strong>`
}

function spanOf({ interval }: Beyond): string {
  return interval ? ` (95 % interval ${points(interval.low)} to ${points(interval.high)})` : ''
}

/** The three side by side, and what the placebo paid. */
export function lookPlaceboSection(run: WorkspaceRun, { steps }: RunReport): Markup | null {
  const { before, after } = lookedAt(run, steps.best)
  if (run.isPlacebo) return placeboItself(run, before, after ?? before)
  const beyond = beyondOf(run, steps.best)
  if (!beyond) return steps.best === 0 ? null : withoutPlacebo(run, steps.best)
  const row = (title: string, of: (look: LookView) => string, difference: string) =>
    html`<tr><th scope="row">${title}</th>${[beyond.before, beyond.placebo, beyond.own].map((look) => html`<td class="number">${of(look)}</td>`)}<td class="number">${difference}</td></tr>`
  const { own, placebo, interval } = beyond
  const rateBeyond =
    signed(beyond.difference * 100, 1) + (interval ? ` (${points(interval.low)} to ${points(interval.high)})` : '')
  const rows = [
    row('Hallucinated words, %', (look) => points(look.hallucinationRate) + rateSpan(look), rateBeyond),
    row(
      'Right objects named, a response',
      (look) => fixed(look.coverage, 2),
      signed(own.coverage - placebo.coverage, 2),
    ),
    row('Length, words', (look) => fixed(look.meanWords, 1), signed(own.meanWords - placebo.meanWords, 1)),
    row(
      'Repeated objects, a response',
      (look) => fixed(look.meanRepeatedMentions, 2),
      signed(own.meanRepeatedMentions - placebo.meanRepeatedMentions, 2),
    ),
  ]
  return html`<section aria-labelledby="placebo">
<h2 id="placebo">Beyond the placebo</h2>
<p>A model that is penalised for object words learns to name fewer of them, the least certain first, and that lowers the share
of hallucinated words without any knowledge. So the same run was made once more with a verifier that cannot know: each image
was judged by another image’s embedding. Only what lies beyond it was learned from the pictures.</p>
${table(
  'placebo-table',
  `The model as it came, the placebo and this run at step ${steps.best}, by the estimates of the verifier that knows`,
  [
    ['Figure', 'text'],
    ['As it came', 'number'],
    ['Placebo', 'number'],
    ['This run', 'number'],
    ['Beyond the placebo', 'number'],
  ],
  rows,
)}
<p class="note">${placeboSignature(beyond.before, placebo)} ${
    interval
      ? 'The interval of the last column takes the changes of both for independent, which is rather too wide than too narrow.'
      : 'These looks were taken by an earlier version, which stored nothing to make an interval of the last column from.'
  }</p>
</section>`
}

function withoutPlacebo(run: WorkspaceRun, step: number): Markup {
  const known = run.counterpart
    ? html`<p>The placebo “<bdi>${run.counterpart.run.name}</bdi>” is ${run.counterpart.run.state} and was not looked at at step ${step}. What this run did beyond it is not known yet.</p>`
    : html`<p>No placebo was made of this run. An effect without its control is not known: a model that is penalised for object words
learns to name fewer of them, and that lowers hallucinated words without any knowledge of the pictures. The run’s page makes
the placebo, which takes as long as the run did.</p>`
  return html`<section aria-labelledby="placebo">
<h2 id="placebo">Beyond the placebo</h2>
${known}
</section>`
}

function placeboItself(run: WorkspaceRun, before: LookView | null, after: LookView | null): Markup {
  const of = run.counterpart && html` It is the control of “<bdi>${run.counterpart.run.name}</bdi>”.`
  return html`<section aria-labelledby="placebo">
<h2 id="placebo">This is a placebo</h2>
<p>The verifier that gave the rewards saw another image than the one that was described, and so could not know what is
there.${of} Its looks were judged by the verifier that knows.</p>
${before && after && after.step > 0 ? html`<p>${placeboSignature(before, after)}</p>` : null}
</section>`
}

/** What became of a model in the hands of a verifier that knows nothing: the failure that the paper warns of. */
export function placeboSignature(before: LookView, placebo: LookView): string {
  const interval = placebo.change && changeInterval(placebo.change)
  if (interval && interval.low > 0) {
    return 'In the placebo the model’s errors grew, as the paper warns of an encoder that is badly aligned.'
  }
  const lost = 1 - placebo.coverage / before.coverage
  if (lost >= smallLoss) {
    return (
      `The placebo paid with ${fixed(lost * 100, 1)} % of its right objects: it names less, right words with wrong ones. ` +
      'That is the failure that the paper warns of, an encoder that cannot tell does not repair, it damages.'
    )
  }
  return 'The placebo lost less than 2 % of its right objects, and no rise of hallucinated words can be told.'
}
