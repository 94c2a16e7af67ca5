// What can be measured, in words, and the measure that a form's fields make. Pure.
import { type ImageChoice, type Measure, type MeasureKind, measureSchema } from '../../../../shared/evaluations.ts'

interface MeasureInfo {
  readonly kind: MeasureKind
  readonly title: string
  /** One sentence, with what it needs. */
  readonly explains: string
}

export const measureInfos: readonly MeasureInfo[] = [
  {
    kind: 'annotation-free',
    title: 'Without annotations',
    explains: 'Estimates on the images of this workspace by the verifier of a run; it needs no file.',
  },
  {
    kind: 'chair',
    title: 'CHAIR',
    explains:
      'Counts objects that are named and not there (Rohrbach et al. 2018); it needs a COCO instances file and the folder of its images.',
  },
  {
    kind: 'pope',
    title: 'POPE',
    explains:
      'Asks whether objects are there, yes or no (Li et al. 2023); it needs a file of questions or a COCO instances file, and the folder of the images.',
  },
  {
    kind: 'mme',
    title: 'MME',
    explains:
      'Fourteen subtasks of yes-or-no questions (Fu et al. 2023); it needs the folder of the benchmark with its images.',
  },
  {
    kind: 'amber',
    title: 'AMBER',
    explains:
      'Descriptions and yes-or-no questions (Wang et al. 2023); it needs its folder “data”, a file of queries and the folder of its images.',
  },
]

/** What a form holds; a measure takes of it what it needs. */
export interface MeasureDraft {
  readonly kind: MeasureKind
  readonly images: ImageChoice
  readonly annotationFile: string
  readonly imageFolder: string
  readonly questionsFrom: 'file' | 'random' | 'popular' | 'adversarial'
  readonly questionFile: string
  readonly mmeFolder: string
  readonly amberFolder: string
  readonly queryFile: string
  /** Null for all. */
  readonly most: number | null
}

export const emptyMeasure: MeasureDraft = {
  ...{ kind: 'annotation-free', images: { from: 'all' }, annotationFile: '', imageFolder: '', questionsFrom: 'file' },
  ...{ questionFile: '', mmeFolder: '', amberFolder: '', queryFile: '', most: null },
}

/** Null while something that it needs is missing. */
export function measureOf(draft: MeasureDraft): Measure | null {
  return measureSchema.safeParse(written(draft)).data ?? null
}

function written(draft: MeasureDraft): Measure {
  const { kind, most, imageFolder, annotationFile, questionsFrom } = draft
  switch (kind) {
    case 'annotation-free':
      return { kind, images: draft.images, most }
    case 'chair':
      return { kind, imageFolder, annotationFile, most }
    case 'pope':
      return {
        ...{ kind, imageFolder, most },
        questions:
          questionsFrom === 'file'
            ? { from: 'file', file: draft.questionFile }
            : { from: 'annotations', file: annotationFile, sampling: questionsFrom },
      }
    case 'mme':
      return { kind, folder: draft.mmeFolder, most }
    case 'amber':
      return { kind, dataFolder: draft.amberFolder, queryFile: draft.queryFile, imageFolder, most }
  }
}
