// Where a run in a report comes from: the files it was made with and their hashes, the images that it left out, and how to
// make it again.
import { skippedReason } from '../../../shared/skippedWords.ts'
import { html, type Markup, table, whole } from './markup.ts'
import type { ReportFile, WorkspaceRun } from './reportData.ts'

/** Images that could not be read at their turn; null when there were none. */
export function skippedSection({ skipped }: WorkspaceRun): Markup | null {
  const { total, images } = skipped
  if (total === 0) return null
  const rows = images.map(
    ({ name, path, code, step, times }) =>
      html`<tr><th scope="row" class="any"><bdi>${name}</bdi><small><bdi>${path}</bdi></small></th><td>${skippedReason(code)}</td><td class="number">${whole(times)}</td><td class="number">${whole(step)}</td></tr>`,
  )
  const more = total - images.length
  return html`<section aria-labelledby="left-out">
<h2 id="left-out">Images left out</h2>
<p>${whole(total)} ${total === 1 ? 'image' : 'images'} could not be read at some step and took no part in it; the run went on with the others.</p>
${table(
  'left-out-table',
  more > 0 ? `The first ${whole(images.length)} by name` : 'All of them, by name',
  [
    ['Image', 'text'],
    ['Why, the last time', 'text'],
    ['Times', 'number'],
    ['Last at step', 'number'],
  ],
  rows,
)}
${more > 0 ? html`<p class="note">And ${whole(more)} more.</p>` : null}
</section>`
}

/** Model, encoder and lexicon with their hashes, and what a repetition needs. */
export function originSection({ files }: WorkspaceRun, seed: number): Markup {
  return html`<section aria-labelledby="origins">
<h2 id="origins">Model, files and how to repeat it</h2>
${table(
  'file-table',
  'What the run was made with',
  [
    ['File', 'text'],
    ['Where it was', 'text'],
    ['SHA-256', 'text'],
  ],
  files.map(fileRow),
)}
<h3>To repeat this run</h3>
<p>Export any step of it from its page (“Export…”). The <code>run.json</code> in that folder holds the job: every setting, the
seed ${seed}, and the hashes of models, lexicon and images. <code>fisao-studio-run run.json</code> (in a checkout
<code>npm run job -- run.json</code>) carries it out again without the app, and refuses files whose hash is another one. On a processor the result is the same byte for byte.</p>
</section>`
}

function fileRow({ what, path, hashes }: ReportFile): Markup {
  const shown = hashes.map(
    ([of, sha256]) =>
      html`<div class="hash">${hashes.length > 1 ? html`<span class="quiet">${of}</span> ` : null}<code>${sha256}</code></div>`,
  )
  return html`<tr><th scope="row">${what}</th><td class="any"><bdi>${path}</bdi></td><td class="any">${shown.length > 0 ? shown : 'not recorded'}</td></tr>`
}
