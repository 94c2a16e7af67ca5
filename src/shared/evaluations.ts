// Evaluations as pages see them: policies x images x a measure, how far one is, its figures with intervals, what stands
// behind each object word, and people's blind votes. Carried out by the engine (jobs/evaluateWorkspace.ts), queued by
// app/evaluations.ts.
import { z } from 'zod'
import { annotationJoinSchema } from './annotationJoin.ts'
import { policySchema } from './describe.ts'
import { evaluationIdSchema, imageQuerySchema } from './domain.ts'
import { errorRecordSchema } from './errors.ts'
import { estimateSchema, judgedWordSchema } from './evaluation.ts'

const id = z.number().int().positive()
const count = z.number().int().nonnegative()
const path = z.string().min(1).max(4096)

/** Policies of one evaluation. */
export const mostPolicies = 4
/** Place of a policy in its evaluation, from 0. */
const place = z
  .int()
  .min(0)
  .max(mostPolicies - 1)

/** The first so many images; all when null. */
const most = z.int().min(1).max(10_000_000).nullable()

/** Which images of the workspace. */
export const imageChoiceSchema = z.discriminatedUnion('from', [
  z.strictObject({ from: z.literal('all') }),
  z.strictObject({ from: z.literal('tag'), tag: z.string().min(1).max(200) }),
  /** What the grid shows. */
  z.strictObject({ from: z.literal('filter'), query: imageQuerySchema }),
])
export type ImageChoice = z.infer<typeof imageChoiceSchema>

/** Where objects that are not in an image come from in questions that are made of annotations; see eval/pope.ts. */
export const popeSamplingSchema = z.enum(['random', 'popular', 'adversarial'])

/** Rohrbach et al. 2018, with an instances file of COCO and a folder of its images. */
export const chairMeasureSchema = z.strictObject({
  ...{ kind: z.literal('chair'), imageFolder: path, annotationFile: path, most },
})
export type ChairMeasure = z.infer<typeof chairMeasureSchema>

/** What is measured, and on what. */
export const measureSchema = z.discriminatedUnion('kind', [
  /** The verifier's own estimates on images of the workspace; no annotation is read. */
  z.strictObject({ kind: z.literal('annotation-free'), images: imageChoiceSchema, most }),
  chairMeasureSchema,
  /** Li et al. 2023: the benchmark's file of questions, or questions made of annotations as its script does. */
  z.strictObject({
    kind: z.literal('pope'),
    imageFolder: path,
    questions: z.discriminatedUnion('from', [
      z.strictObject({ from: z.literal('file'), file: path }),
      z.strictObject({ from: z.literal('annotations'), file: path, sampling: popeSamplingSchema }),
    ]),
    most,
  }),
  /** Fu et al. 2023: the folder as it ships, images within. */
  z.strictObject({ kind: z.literal('mme'), folder: path, most }),
  /** Wang et al. 2023: the benchmark's folder `data`, a file of its queries, and the folder of its images. */
  z.strictObject({ kind: z.literal('amber'), dataFolder: path, queryFile: path, imageFolder: path, most }),
])
export type Measure = z.infer<typeof measureSchema>
export type MeasureKind = Measure['kind']

/** What a person asks for. */
export const newEvaluationSchema = z.object({
  /** Empty: it is called by what it measures. */
  name: z.string().trim().max(120),
  policies: z.array(policySchema).min(1).max(mostPolicies),
  measure: measureSchema,
  /** What is asked where the measure has no questions of its own; null for the question of the first policy's run. */
  prompt: z.string().trim().min(1).max(2000).nullable(),
  /** Tokens of a response, for all policies alike; null for the limit of the first policy's run. */
  maxNewTokens: z.int().min(1).max(2048).nullable(),
})
export type NewEvaluation = z.infer<typeof newEvaluationSchema>

/**
 * `waiting`: for the engine; `opening`: files are read and models opened; `answering`: policies answer; `counting`: figures
 * and their intervals. One that was interrupted waits and goes on by itself; answers that are stored are not asked again.
 */
export const evaluationStateSchema = z.enum([
  'waiting',
  'opening',
  'answering',
  'counting',
  'done',
  'cancelled',
  'failed',
])
export type EvaluationState = z.infer<typeof evaluationStateSchema>

/** A figure of each policy, in their order. */
export const evaluationFigureSchema = z.object({
  /** As {@link figureInfo} has it. */
  name: z.string(),
  /** A subtask of MME, a group of AMBER's yes-or-no queries; null for all. */
  group: z.string().nullable(),
  byPolicy: z.array(estimateSchema),
})
export type EvaluationFigure = z.infer<typeof evaluationFigureSchema>

/** An evaluation without its tables: what a list and the activity tray show, and what travels in its event. */
export const evaluationViewSchema = z.object({
  evaluationId: evaluationIdSchema,
  name: z.string(),
  kind: z.enum(['annotation-free', 'chair', 'pope', 'mme', 'amber']),
  /** `name` of the run or the model as it was called then. */
  policies: z.array(z.object({ policy: policySchema, name: z.string() })),
  state: evaluationStateSchema,
  /** What it waits for, as a sentence, e.g. a run that is under way; null unless it is `waiting`. */
  waitsFor: z.string().nullable(),
  /** Null unless it has failed. */
  error: errorRecordSchema.nullable(),
  /** Answers of all policies together. */
  done: count,
  /** 0 before the files are read. */
  total: count,
  /** Null before it can be told. */
  remainingMs: z.number().nonnegative().nullable(),
  /** Share of a model that is made ready (readying.ts) while it is `opening`; null otherwise. */
  readied: z.number().min(0).max(1).nullable(),
  createdAtMs: z.number(),
  endedAtMs: z.number().nullable(),
  /** Its first figures; empty before it is done. */
  headline: z.array(evaluationFigureSchema),
})
export type EvaluationView = z.infer<typeof evaluationViewSchema>

/** Why an annotation-free evaluation has no estimated rate. */
export const noEstimateReasons = ['no-run', 'verifier-cannot-tell'] as const

export const evaluationDetailSchema = evaluationViewSchema.extend({
  request: newEvaluationSchema,
  /** What was asked of each image; null where the measure has questions of its own. */
  prompt: z.string().nullable(),
  maxNewTokens: count,
  /** Images and questions that take part; equal where there is one question an image. */
  images: count,
  questions: count,
  /** Images that could not be read, by all policies together; they take no part in any figure. */
  skipped: z.object({ count, first: z.array(z.object({ path: z.string(), code: z.string() })) }),
  /** Every figure; empty before it is done. Those of CHAIR always come with recall and length. */
  figures: z.array(evaluationFigureSchema),
  /** Of every pair of policies, `before` having the lower place: paired by image, on the same resamples. */
  differences: z.array(
    z.object({
      before: place,
      after: place,
      figures: z.array(
        z.object({
          name: z.string(),
          group: z.string().nullable(),
          /** After less before. */
          difference: estimateSchema,
          /** 1 - after / before. */
          relativeReduction: estimateSchema,
        }),
      ),
    }),
  ),
  /** Resamples behind the intervals, fewer for very many images; 0 before it is done. */
  resamples: count,
  /** Whose run's calibration estimated hallucination, by its name; null where annotations told. */
  judgedBy: z.string().nullable(),
  /** Null unless estimates are missing for that. */
  noEstimate: z.enum(noEstimateReasons).nullable(),
  /** Which annotations and images found each other; null without annotations. `joinFindings` says it in sentences. */
  annotations: annotationJoinSchema.nullable(),
  /** Object words that have counts. */
  concepts: count,
})
export type EvaluationDetail = z.infer<typeof evaluationDetailSchema>

/** What the answers of a policy are of, so that another evaluation knows whether its own would be the same. */
export const answeredBySchema = z.object({ key: z.string(), imagesSha256: z.string() })
export type AnsweredBy = z.infer<typeof answeredBySchema>

/** What an evaluation is carried out with, as the workspace keeps it from when its files were read. */
export const evaluationFactsSchema = z.object({
  prompt: z.string(),
  maxNewTokens: z.int().positive(),
  /** Name of the run whose calibration estimates hallucination. */
  judgedBy: z.string().nullable(),
  noEstimate: z.enum(noEstimateReasons).nullable(),
  /** Objects that the annotations can judge. */
  judged: z.array(z.string()).nullable(),
  annotations: annotationJoinSchema.nullable(),
  /** Files that must stay as they are until it is done. */
  sources: z.array(z.object({ path: z.string(), sha256: z.string() })),
  /** By policy, as far as they have answered all; null for one that has learned. */
  answered: z.array(answeredBySchema.nullable()).optional(),
})
export type EvaluationFacts = z.infer<typeof evaluationFactsSchema>

/** What it came to, as the workspace keeps it. */
export const evaluationFiguresSchema = evaluationDetailSchema
  .pick({ figures: true, differences: true, resamples: true })
  .extend({ answers: count })
export type EvaluationFigures = z.infer<typeof evaluationFiguresSchema>

/** An object word over all images, for each policy in their order. */
export const conceptSchema = z.object({
  name: z.string(),
  /** Images that have it by the annotations, in POPE questions whose answer is yes; null where nothing says so. */
  annotated: count.nullable(),
  byPolicy: z.array(
    z.object({
      /** In POPE, answers yes. */
      mentions: count,
      /** Mentions of what is not there; without annotations, those that the verifier finds likelier hallucinated than not. */
      hallucinated: count,
      /** Images behind `hallucinated`. */
      hallucinatedImages: count,
      /** Annotated images that name it; null where nothing is annotated. */
      recalled: count.nullable(),
    }),
  ),
})
export type Concept = z.infer<typeof conceptSchema>

export const conceptSorts = ['hallucinated', 'change', 'mentions', 'name'] as const

/** Which images of an evaluation. */
export const evaluatedSelectionSchema = z.enum(['all', 'hallucinated', 'named', 'missed', 'right', 'wrong'])

/** An image, or a question about one, with what each policy said. */
export const evaluatedImageSchema = z.object({
  /** Of the evaluation, from 0; `imageUrl.evaluated` shows its picture. */
  item: count,
  name: z.string(),
  path: z.string(),
  /** Null for one that is not in the workspace. */
  imageId: id.nullable(),
  question: z.string(),
  /** Annotated objects; null where there is nothing annotated. */
  objects: z.array(z.string()).nullable(),
  /** The right answer of a yes-or-no question. */
  label: z.enum(['yes', 'no']).nullable(),
  /** In the order of the policies; null for one that has not answered. */
  answers: z.array(
    z
      .object({
        text: z.string(),
        words: z.array(judgedWordSchema),
        /** How the benchmark reads it; null where it is a description. */
        answer: z.enum(['yes', 'no', 'other']).nullable(),
        /** Null for a description. */
        isRight: z.boolean().nullable(),
      })
      .nullable(),
  ),
})
export type EvaluatedImage = z.infer<typeof evaluatedImageSchema>

/** Tables that can be saved as CSV. */
export const evaluationTables = ['figures', 'concepts', 'images'] as const

/** What a dialog asks for. */
export const evaluationFiles = [
  'annotations',
  'questions',
  'queries',
  'image-folder',
  'mme-folder',
  'amber-folder',
] as const

/** How a figure is shown. */
export interface FigureInfo {
  readonly title: string
  /** `share`: between 0 and 1, shown in per cent. */
  readonly unit: 'share' | 'count' | 'words' | 'points'
  /** Which way is better; null where neither is by itself. */
  readonly better: 'lower' | 'higher' | null
  /** One sentence, with its formula. */
  readonly explains: string
}

const yesNo: Readonly<Record<string, FigureInfo>> = {
  accuracy: share('Accuracy', 'higher', 'Right answers / questions.'),
  precision: share('Precision', 'higher', 'Of the answers “yes”, those that are right.'),
  recall: share('Recall', 'higher', 'Of the questions whose answer is yes, those answered so.'),
  f1: share('F1', 'higher', 'Harmonic mean of precision and recall.'),
  yesRate: share('Yes rate', null, 'Share of “yes” among all answers; half would be even.'),
}

/** Every figure by measure and name, in the order of a table. */
export const figureInfo: Readonly<Record<MeasureKind, Readonly<Record<string, FigureInfo>>>> = {
  'annotation-free': {
    hallucinationRate: share(
      'Estimated hallucination',
      'lower',
      'Expected share of mentions that are not in the image.',
    ),
    coverage: info('Coverage', 'count', 'higher', 'Expected different objects a response that are named and there.'),
    meanObjects: info('Objects', 'count', null, 'Different objects named, a response.'),
    meanWords: info('Length', 'words', null, 'Words a response.'),
    repeatedMentions: info('Repeated mentions', 'count', 'lower', 'Mentions beyond an object’s first, a response.'),
    repeatedTrigrams: share('Repeated trigrams', 'lower', 'Word trigrams said before, mean over responses.'),
    emptyShare: share('Empty', 'lower', 'Responses without a word.'),
  },
  chair: {
    chairI: share('CHAIR-i', 'lower', 'Hallucinated mentions / mentions.'),
    chairS: share('CHAIR-s', 'lower', 'Responses with a hallucinated mention / responses.'),
    recall: share('Recall', 'higher', 'Annotated objects that are named / annotated objects.'),
    meanLength: info('Length', 'words', null, 'Words a response.'),
    chairIUnique: share('CHAIR-i, unique', 'lower', 'Hallucinated / named objects, each counted once a response.'),
    repetition: info('Repeated mentions', 'count', 'lower', 'Mentions beyond an object’s first, a response.'),
  },
  pope: yesNo,
  mme: {
    perception: info('Perception', 'points', 'higher', 'Sum of the scores of its ten subtasks, at most 2,000.'),
    cognition: info('Cognition', 'points', 'higher', 'Sum of the scores of its four subtasks, at most 800.'),
    score: info('Score', 'points', 'higher', '100 (accuracy + accuracy+), at most 200.'),
    accuracy: share('Accuracy', 'higher', 'Right answers / questions.'),
    accuracyPlus: share('Accuracy+', 'higher', 'Images of which all questions are answered right / images.'),
  },
  amber: {
    score: share('AMBER score', 'higher', '(1 − CHAIR + F1) / 2.'),
    chair: share('CHAIR', 'lower', 'Hallucinated words / object words.'),
    cover: share('Cover', 'higher', 'Annotated objects that are named / annotated objects.'),
    hal: share('Hal', 'lower', 'Descriptions with a hallucinated word / descriptions.'),
    cog: share('Cog', 'lower', 'Expected hallucinations that are named / expected hallucinations.'),
    accuracy: share('Accuracy', 'higher', 'Right answers / queries.'),
    precision: share('Precision', 'higher', 'Of the answers “no”, those that are right.'),
    recall: share('Recall', 'higher', 'Of the queries whose answer is no, those answered so.'),
    f1: share('F1', 'higher', 'Harmonic mean of precision and recall, with “no” as the positive answer.'),
  },
}

function share(title: string, better: FigureInfo['better'], explains: string): FigureInfo {
  return info(title, 'share', better, explains)
}

function info(title: string, unit: FigureInfo['unit'], better: FigureInfo['better'], explains: string): FigureInfo {
  return { title, unit, better, explains }
}

/** Two policies that people compare, and what they were asked; null for the question of the first one's run. */
export const ballotSchema = z.object({
  one: policySchema,
  other: policySchema,
  prompt: z.string().trim().min(1).max(2000).nullable(),
})
export type Ballot = z.infer<typeof ballotSchema>

/** How a ballot stands. */
export const voteCountsSchema = z.object({
  /** Votes for each policy, on whichever side it stood, and for neither. */
  one: count,
  other: count,
  ties: count,
  /** Of the exact two-sided sign test without ties; null before the first vote that is no tie. */
  pValue: z.number().min(0).max(1).nullable(),
  /** Pairs that nobody has voted on. */
  left: count,
})
export type VoteCounts = z.infer<typeof voteCountsSchema>

/** Images that have no response of a policy; `describe.library` and `describe.start` make them. */
const missingResponsesSchema = z.object({
  count,
  first: z.array(id),
})

export const ballotViewSchema = voteCountsSchema.extend({
  /** What both were asked. */
  prompt: z.string(),
  /** Images with a response of both, and those of them whose responses are alike: there is nothing to choose. */
  both: count,
  alike: count,
  missing: z.object({ one: missingResponsesSchema, other: missingResponsesSchema }),
})
export type BallotView = z.infer<typeof ballotViewSchema>

/** Two responses to one image on sides that are drawn; nothing in it says which is whose. */
export const votePairSchema = z.object({
  pairId: id,
  imageId: id,
  left: z.string(),
  right: z.string(),
})
export type VotePair = z.infer<typeof votePairSchema>
