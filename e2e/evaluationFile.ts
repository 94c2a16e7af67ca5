// Makes the workspace of inspectorFile.ts with three evaluations of its run, on the app's own runtime (see onRuntime in
// studio.ts): `evaluationFile.ts PATH`. One with annotations is done, one was cancelled, one has failed; what the first holds
// is written as the engine writes it.
import './inspectorFile.ts'
import {
  conceptCounts,
  finishEvaluation,
  type NewAnswer,
  newEvaluation,
  setEvaluationState,
  storeAnswers,
  storeItems,
} from '../src/main/db/evaluations.ts'
import { imageFacts } from '../src/main/db/images.ts'
import { closeWorkspace, openWorkspace } from '../src/main/db/open.ts'
import type { Json, RunId } from '../src/shared/domain.ts'
import type { Estimate } from '../src/shared/evaluation.ts'
import {
  type EvaluationFacts,
  type EvaluationFigures,
  figureInfo,
  type NewEvaluation,
} from '../src/shared/evaluations.ts'

const [path = ''] = process.argv.slice(2)
const db = openWorkspace(path)
const runId = 1 as RunId
const names = ['Zoo and street', 'Zoo and street']
const request: NewEvaluation = {
  ...{ name: 'CHAIR on own annotations', prompt: null, maxNewTokens: null },
  policies: [
    { from: 'run', runId, step: 0, strength: 1 },
    { from: 'run', runId, step: 20, strength: 1 },
  ],
  measure: { kind: 'chair', imageFolder: '/pictures', annotationFile: '/pictures/instances.json', most: null },
}
const make = (name: string): ReturnType<typeof newEvaluation> =>
  newEvaluation(db, { name, kind: 'chair', request: { ...request, name } as unknown as Json, names }, Date.now())

setEvaluationState(db, make('A first try'), 'cancelled', null, Date.now())
setEvaluationState(
  db,
  make('Annotations of another folder, with a name that is much longer than its place'),
  'failed',
  {
    code: 'run.no-annotated-images',
    message: 'No image of the annotations was found in the folder.',
    remedy: 'Choose the folder that the names in the file begin from.',
  },
  Date.now(),
)

const evaluationId = make(request.name)
const none = { count: 0, first: [] }
const facts: EvaluationFacts = {
  ...{ prompt: 'Describe the image.', maxNewTokens: 64, judgedBy: null, noEstimate: null, judged: null, sources: [] },
  annotations: {
    ...{ listed: 13, found: 12, missing: { count: 1, first: ['scene-0999.jpg'] }, ambiguous: none, otherFolder: none },
    ...{
      unlisted: none,
      strayAnnotations: 0,
      unknownCategories: { count: 1, first: ['lamp post'] },
      unjudgedObjects: none,
    },
  },
}
const pictures = Array.from({ length: 12 }, (_, i) => imageFacts(db, i + 1)).filter((one) => one !== undefined)
const objects = ['umbrella', 'zebra', 'bear']
storeItems(
  db,
  evaluationId,
  pictures.map(({ imageId, path: file, name }, item) => ({
    ...{ item, imageId, path: file, name, question: null, truth: { objects } },
  })),
  facts as unknown as Json,
)
const said = [
  ['umbrella', 'giraffe', 'bear', 'bench', 'traffic light'],
  ['umbrella', 'zebra', 'bear', 'bench'],
]
for (const [policy, words] of said.entries()) {
  const answers = pictures.map((_, item) => answerOf(item, item % 2 === 0 ? words : words.slice(0, 3)))
  storeAnswers(db, evaluationId, policy, { answers, unreadable: [] })
}
const byPolicy = said.map((_, policy) => conceptCounts(db, evaluationId, policy))
const concepts = [...new Set(byPolicy.flat().map(({ name }) => name))].sort().map((name) => ({
  name,
  annotated: objects.includes(name) ? pictures.length : 0,
  byPolicy: byPolicy.map((counts) => {
    const {
      mentions = 0,
      hallucinated = 0,
      hallucinatedImages = 0,
      recalled = 0,
    } = counts.find((one) => one.name === name) ?? {}
    return { mentions, hallucinated, hallucinatedImages, recalled }
  }),
}))
const estimate = (value: number, half: number): Estimate => ({
  ...{ value, low: value - half, high: value + half, n: 12, undefinedResamples: 0 },
})
/** Before, after and half an interval, by figure. */
const values: Readonly<Record<string, readonly [number, number, number]>> = {
  ...{
    chairI: [0.5, 0.143, 0.06],
    chairS: [0.8, 0.5, 0.15],
    recall: [0.667, 0.94, 0.05],
    meanLength: [24.2, 23.9, 1.1],
  },
  ...{ chairIUnique: [0.5, 0.143, 0.06], repetition: [0.02, 0.02, 0.01] },
}
const figures: EvaluationFigures = {
  figures: Object.keys(figureInfo.chair).map((name) => {
    const [before = 0, after = 0, half = 0] = values[name] ?? []
    return { name, group: null, byPolicy: [estimate(before, half), estimate(after, half)] }
  }),
  differences: [
    {
      ...{ before: 0, after: 1 },
      figures: Object.entries(values).map(([name, [before, after, half]]) => ({
        ...{ name, group: null, difference: estimate(after - before, half), relativeReduction: estimate(0.1, 0.1) },
      })),
    },
  ],
  ...{ resamples: 2000, answers: 24 },
}
finishEvaluation(db, evaluationId, { figures: figures as unknown as Json, concepts: concepts as Json }, Date.now())
closeWorkspace(db)

function answerOf(item: number, words: readonly string[]): NewAnswer {
  let text = 'The image shows'
  const judged = words.map((name, i) => {
    text += i === 0 ? ' a ' : ', a '
    const start = text.length
    text += name
    return { start, end: text.length, name, score: null, isHallucinated: !objects.includes(name) }
  })
  const hallucinated = judged.filter(({ isHallucinated }) => isHallucinated).length
  return {
    ...{ item, text: `${text}.`, words: judged, answer: null, isRight: null, named: words.length, hallucinated },
    missed: objects.filter((name) => !words.includes(name)).length,
    counts: [words.length, hallucinated],
    concepts: words.map((name) => ({
      ...{ name, mentions: 1, hallucinated: objects.includes(name) ? 0 : 1, isAnnotated: objects.includes(name) },
    })),
  }
}
