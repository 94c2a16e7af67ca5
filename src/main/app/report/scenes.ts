// Scenes of a run's report: the picture, what is in it, and the responses before and after with their object words
// marked. Grounded and hallucinated words differ by colour and by underline, so neither alone has to be seen.
import type { ChairReport, JudgedResponse, JudgedWord } from '../../../shared/evaluation.ts'
import { fixed, html, type Markup, table, whole } from './markup.ts'
import { legend, type MarkedResponse, markedPair } from './words.ts'

/** An evaluated image with its picture. */
export interface ReportScene {
  /** Such as the file's name. */
  readonly name: string
  /** A data: URI of an image; anything else is left out, so that the report needs nothing beside it. */
  readonly image: string
  readonly objects: readonly string[]
  readonly before: JudgedResponse
  readonly after: JudgedResponse
}

/**
 * Which responses to show: spread evenly over those that alignment changed, in the order of the report, so that neither
 * successes nor failures are picked. Where too few changed, the others fill up.
 * @returns positions in `responses`, rising
 */
export function sceneIndexes(responses: ChairReport['responses'], count = 12): number[] {
  return spreadOver(
    responses.map(({ before, after }) => before.text === after.text),
    count,
  )
}

/** The same for pairs of which it is known whether both are the same. */
export function spreadOver(areSame: readonly boolean[], count: number): number[] {
  const changed = areSame.flatMap((isSame, i) => (isSame ? [] : [i]))
  const same = areSame.flatMap((isSame, i) => (isSame ? [i] : []))
  const chosen = spread(changed, count)
  return [...chosen, ...spread(same, count - chosen.length)].sort((a, b) => a - b)
}

function spread(positions: readonly number[], count: number): number[] {
  const taken = Math.max(0, Math.min(count, positions.length))
  return Array.from(
    { length: taken },
    (_, i) => positions[Math.floor(((i + 0.5) * positions.length) / taken)] as number,
  )
}

/** Pictures with their responses, and the legend. */
export function sceneSection(scenes: readonly ReportScene[], evaluation: ChairReport | null): Markup {
  if (scenes.length === 0) {
    return html`<section aria-labelledby="scenes"><h2 id="scenes">Scenes</h2><p>No scenes were kept for this report.</p></section>`
  }
  const changed = evaluation?.responses.filter(({ before, after }) => before.text !== after.text).length
  const choice = evaluation
    ? html`Of ${whole(evaluation.images)} responses, ${whole(changed ?? 0)} changed. These ${scenes.length} are spread evenly over the
changed ones in the order of their files; they were not chosen by result.`
    : null
  return html`<section aria-labelledby="scenes">
<h2 id="scenes">Scenes</h2>
<p>${choice} A word’s score is the verifier’s, and shows where the mouse rests on it.</p>
${legend({ grounded: 'in the image', hallucinated: 'hallucinated: not in the image', neutral: null, isComparison: true })}
<div class="scenes">${scenes.map(scene)}</div>
</section>`
}

function scene({ name, image, objects, before, after }: ReportScene, i: number): Markup {
  const there = objects.length === 0 ? 'nothing that the lexicon knows' : objects.join(', ')
  const picture = /^data:image\/[a-z0-9.+-]+[;,]/i.test(image)
    ? html`<img src="${image}" alt="Scene with ${there}" width="384" height="384">`
    : html`<p class="missing">The picture was not kept.</p>`
  const texts = markedPair(marked(before), marked(after))
  const isUnchanged = before.text === after.text && before.text !== ''
  return html`<article class="scene">
<h3><bdi>${name}</bdi></h3>
${picture}
<dl>
<div><dt>In the image</dt><dd>${there}</dd></div>
<div><dt>Before</dt><dd>${texts.before}</dd></div>
<div><dt>After</dt><dd>${texts.after}${isUnchanged ? html` <span class="quiet">(unchanged)</span>` : null}</dd></div>
</dl>
${scoreTable(i, name, before, after)}
</article>
`
}

/** For those who do not use a mouse, and for paper. */
function scoreTable(i: number, scene: string, before: JudgedResponse, after: JudgedResponse): Markup | null {
  const rows = [
    ...before.words.map((word) => ['before', word] as const),
    ...after.words.map((word) => ['after', word] as const),
  ].map(
    ([when, word]) =>
      html`<tr><th scope="row">${word.name}</th><td>${when}</td><td>${truthOf(word)}</td><td class="number">${fixed(word.score, 2)}</td></tr>`,
  )
  if (rows.length === 0) return null
  const head = [
    ['Object', 'text'],
    ['Response', 'text'],
    ['Annotations', 'text'],
    ['Score', 'number'],
  ] as const
  return html`<details><summary>Scores of the words</summary>${table(`scores-${i}`, `Object words of ${scene} with the verifier’s scores`, head, rows)}</details>`
}

const truthOf = ({ isHallucinated }: JudgedWord): string => (isHallucinated ? 'hallucinated' : 'in the image')

function marked({ text, words }: JudgedResponse): MarkedResponse {
  return {
    text,
    words: words.map((word) => ({
      ...word,
      verdict: word.isHallucinated ? ('hallucinated' as const) : ('grounded' as const),
      said: truthOf(word),
    })),
  }
}
