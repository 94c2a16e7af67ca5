// What a salvage keeps and loses, as a person reads it.
import type { Count, SalvageReport } from '../../../../shared/salvage.ts'
import { formatCount, formatPlural } from '../../format.ts'

/** `240 of 240 images, 3 of 3 runs and 1,000 of 1,000 responses.` */
export function keptWords({ images, runs, responses }: SalvageReport): string {
  const share = ({ kept, lost }: Count, one: string): string =>
    lost === 0 ? formatPlural(kept, one) : `${formatCount(kept)} of ${formatPlural(kept + lost, one)}`
  return `${listed([share(images, 'image'), share(runs, 'run'), share(responses, 'response')])}.`
}

/** For a person who does not know the tables. */
const tableWords: Readonly<Record<string, string>> = {
  ...{ image: 'images', tag: 'tags', image_tag: 'tags', import: 'imports', import_issue: 'files that were left out' },
  ...{ model: 'models', run: 'runs', look: 'looks', checkpoint: 'checkpoints', checkpoint_part: 'weights' },
  ...{ rollout: 'responses', word: 'object words', metric: 'curves', evaluation: 'evaluations' },
  ...{ evaluation_value: 'evaluations', evaluation_item: 'evaluations', evaluation_answer: 'evaluations' },
  ...{ evaluation_concept: 'evaluations', vote: 'votes', setting: 'settings', session: 'openings of the workspace' },
}

/** What is lost, and what may be wrong, in one or two sentences. */
export function lostWords({ weights, thumbnails, otherRows, changedTables, lostLastSteps }: SalvageReport): string {
  const losses = [
    ...(weights.lost > 0 ? [`the weights of ${formatPlural(weights.lost, 'checkpoint')}`] : []),
    ...(thumbnails.lost > 0 ? [formatPlural(thumbnails.lost, 'thumbnail')] : []),
    ...(otherRows.lost > 0 ? [formatPlural(otherRows.lost, 'other entry', 'other entries')] : []),
    ...(lostLastSteps ? ['what was stored in the last moments'] : []),
  ]
  const lost = losses.length > 0 ? `Also lost: ${listed(losses)}.` : ''
  const changed =
    changedTables.length > 0
      ? `Among the ${listed(changedTables.map((table) => tableWords[table] ?? `entries of ${table}`))} one value or more is not what was stored, and nobody can tell which.`
      : ''
  return [lost, changed].filter((words) => words !== '').join(' ')
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}
