// How far an evaluation is, in words. Pure.
import type { EvaluationDetail, EvaluationState, EvaluationView, Measure } from '../../../../shared/evaluations.ts'
import { readyingWords } from '../../../../shared/readying.ts'
import { formatCount, formatPlural, formatSpan } from '../../format.ts'

export const stateNames: Readonly<Record<EvaluationState, string>> = {
  ...{ waiting: 'Waiting', opening: 'Opening', answering: 'Answering', counting: 'Counting' },
  ...{ done: 'Done', cancelled: 'Cancelled', failed: 'Failed' },
}

export function isUnderWay(state: EvaluationState): boolean {
  return state === 'waiting' || state === 'opening' || state === 'answering' || state === 'counting'
}

/** What it does, how far it is and how long it takes. */
export function stateSentence({ state, waitsFor, done, total, remainingMs, readied }: EvaluationView): string {
  const answers = `${formatCount(done)} of ${formatPlural(total, 'answer')}`
  switch (state) {
    case 'waiting':
      return waitsFor ?? 'Waits for its turn.'
    case 'opening':
      return readied === null ? 'Reads the files and opens the models.' : `${readyingWords(readied)}.`
    case 'answering':
      return remainingMs === null ? answers : `${answers}, ${formatSpan(remainingMs)} left`
    case 'counting':
      return 'Counts, and resamples for the intervals.'
    case 'done':
      return formatPlural(done, 'answer')
    case 'cancelled':
    case 'failed':
      return total === 0 ? 'Nothing was answered.' : `${answers} kept.`
  }
}

/** Why estimates of hallucination are missing, as a sentence; null when they are not. */
export function noEstimateSentence(reason: EvaluationDetail['noEstimate']): string | null {
  switch (reason) {
    case null:
      return null
    case 'no-run':
      return 'Hallucination is not estimated: none of the models belongs to a run, whose calibration would judge the words.'
    case 'verifier-cannot-tell':
      return 'Hallucination is not estimated: the calibration of the run found that its verifier cannot tell right words from wrong ones.'
  }
}

/** Files and folders that it was asked to read. */
export function filesOf(measure: Measure): readonly string[] {
  switch (measure.kind) {
    case 'annotation-free':
      return []
    case 'chair':
      return [measure.annotationFile, measure.imageFolder]
    case 'pope':
      return [measure.questions.file, measure.imageFolder]
    case 'mme':
      return [measure.folder]
    case 'amber':
      return [measure.dataFolder, measure.queryFile, measure.imageFolder]
  }
}
