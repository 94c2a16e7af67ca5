// The record of a measure, with what it reads of a person's files. Before it stands a request, after it measures.ts.
import type { Measure } from '../../../shared/evaluations.ts'
import { readAmberFolder } from '../eval/amberFiles.ts'
import { mmeParts } from '../eval/mme.ts'
import type { Lexicon } from '../reward/lexicon.ts'
import { amberMeasuring } from './amberMeasure.ts'
import { chairMeasuring, freeMeasuring, type Measuring, mmeMeasuring, popeMeasuring } from './measures.ts'

/** @param judged objects that the annotations can judge. @throws StudioError `run.amber` */
export async function measuringOf(
  measure: Measure,
  { lexicon, judged }: { lexicon: Lexicon; judged: ReadonlySet<string> },
): Promise<Measuring> {
  switch (measure.kind) {
    case 'annotation-free':
      return freeMeasuring
    case 'chair':
      return chairMeasuring(lexicon, judged)
    case 'pope':
      return popeMeasuring
    case 'mme':
      return mmeMeasuring(mmeParts)
    case 'amber':
      return amberMeasuring(await readAmberFolder(measure.dataFolder))
  }
}
