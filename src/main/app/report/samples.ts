// Validation images in a run's report: a thumbnail, what the model said of it as it came and at the reported step, side by
// side, words coloured by the verifier's verdicts as on the screen.
import { fixed, html, type Markup, table, whole } from './markup.ts'
import type { ReportSample, RunReport, WorkspaceRun } from './reportData.ts'
import { legend, type MarkedWord, markedPair, markedResponse } from './words.ts'

/** Pictures with their responses, and the legend. */
export function sampleSection({ samples, compared }: WorkspaceRun, { steps }: RunReport): Markup {
  const damaged =
    compared.damaged === 0
      ? null
      : html`<p class="note">${whole(compared.damaged)} ${compared.damaged === 1 ? 'response was' : 'responses were'} damaged in the workspace and left out here.</p>`
  if (samples.length === 0) {
    return html`<section aria-labelledby="samples"><h2 id="samples">Responses</h2>
<p>No validation image has stored responses ${steps.best === 0 ? 'of the model as it came' : `of both the model as it came and step ${steps.best}`}.</p>
${damaged}</section>`
  }
  const isComparison = steps.best > 0
  const choice = isComparison
    ? html`Of ${whole(compared.images)} validation images, the responses to ${whole(compared.changed)} changed. These ${samples.length} are spread evenly over the
changed ones in the order in which they were looked at; they were not chosen by result.`
    : html`These ${samples.length} are spread evenly over ${whole(compared.images)} validation images; they were not chosen by result.`
  return html`<section aria-labelledby="samples">
<h2 id="samples">Responses</h2>
<p>${choice} Verdicts are the verifier’s, not those of a person or an annotation.</p>
${legend({ grounded: 'in the image, by the verifier', hallucinated: 'not in the image', neutral: 'too close to call', isComparison })}
<div class="samples">${samples.map((one, i) => sample(one, i, steps.best))}</div>
${damaged}
</section>`
}

function sample({ name, image, before, after }: ReportSample, i: number, step: number): Markup {
  const picture = /^data:image\/[a-z0-9.+-]+;base64,/i.test(image)
    ? html`<img src="${image}" alt="" width="256" height="256">`
    : html`<p class="missing">Its thumbnail was lost.</p>`
  const texts = after ? markedPair(before, after) : { before: markedResponse(before), after: null }
  const isSame = after !== null && before.text === after.text && before.text !== ''
  const last =
    texts.after &&
    html`<div><dt>Step ${step}</dt><dd>${texts.after}${isSame ? html` <span class="quiet">(unchanged)</span>` : null}</dd></div>`
  return html`<article class="sample">
<h3><bdi>${name}</bdi></h3>
<div class="sample-parts">${picture}
<dl><div><dt>As it came</dt><dd>${texts.before}</dd></div>${last}</dl></div>
${scoreTable(i, name, before.words, after?.words ?? [], step)}
</article>
`
}

/** For those who do not use a mouse. */
function scoreTable(
  i: number,
  name: string,
  before: readonly MarkedWord[],
  after: readonly MarkedWord[],
  step: number,
): Markup | null {
  const rowsOf = (when: string, words: readonly MarkedWord[]): Markup[] =>
    words.map(
      (word) =>
        html`<tr><th scope="row"><bdi>${word.name}</bdi></th><td>${when}</td><td>${word.said}</td><td class="number">${fixed(word.score, 2)}</td></tr>`,
    )
  const rows = [...rowsOf('as it came', before), ...rowsOf(`step ${step}`, after)]
  if (rows.length === 0) return null
  const head = [
    ['Object', 'text'],
    ['Response', 'text'],
    ['Verdict', 'text'],
    ['Score', 'number'],
  ] as const
  const caption = html`Object words of <bdi>${name}</bdi> with the verifier’s scores`
  return html`<details><summary>Scores of the words</summary>${table(`scores-${i}`, caption, head, rows)}</details>`
}
