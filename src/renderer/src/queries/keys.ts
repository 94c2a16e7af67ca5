// The keys of all that is asked of main: one tree a workspace opening, so that a branch of it can be asked for again and
// nothing outlives its workspace.
import type { Params } from '../../../shared/contract.ts'
import type { EvaluationId, ImageQuery, ModelId, RolloutId, RunId } from '../../../shared/domain.ts'
import type { Ballot } from '../../../shared/evaluations.ts'

/** `w` is the key of the opening (`OpenWorkspace.key`). */
export const keys = {
  /** Of the app, whatever is open. */
  settings: () => ['settings'] as const,
  /** By the measurement of the devices, which says what can be chosen. */
  settingsViews: () => [...keys.settings(), 'view'] as const,
  settingsView: (measuredAtMs: number | null) => [...keys.settingsViews(), measuredAtMs] as const,
  cacheSize: () => [...keys.settings(), 'cache'] as const,
  activities: () => ['activities'] as const,
  load: () => ['load'] as const,

  workspace: (w: string | null) => ['workspace', w] as const,

  runs: (w: string | null) => [...keys.workspace(w), 'runs'] as const,
  runList: (w: string | null) => [...keys.runs(w), 'list'] as const,
  /** All that is known of one run. */
  run: (w: string | null, runId: RunId) => [...keys.runs(w), 'run', runId] as const,
  runDetail: (w: string | null, runId: RunId) => [...keys.run(w, runId), 'detail'] as const,
  runMetrics: (w: string | null, runId: RunId, names: readonly string[]) =>
    [...keys.run(w, runId), 'metrics', names] as const,

  runCheckpoints: (w: string | null, runId: RunId) => [...keys.run(w, runId), 'checkpoints'] as const,

  /** Of each, what its runs came to. */
  sweeps: (w: string | null) => [...keys.workspace(w), 'sweeps'] as const,
  sweepList: (w: string | null) => [...keys.sweeps(w), 'list'] as const,
  sweepDetail: (w: string | null, sweepId: string) => [...keys.sweeps(w), 'one', sweepId] as const,
  chairPlan: (w: string | null, asked: Params<'sweeps.planChair'>) => [...keys.sweeps(w), 'chair', asked] as const,
  sweepMemory: (w: string | null, asked: Params<'sweeps.memory'>) => [...keys.sweeps(w), 'memory', asked] as const,

  /** The check of a new run, which a page may leave and find again. */
  runCheck: (w: string | null) => [...keys.workspace(w), 'run check'] as const,

  /** What models said, and what they were asked. */
  responses: (w: string | null) => [...keys.workspace(w), 'responses'] as const,
  responsesToImage: (w: string | null, imageId: number) => [...keys.responses(w), 'to image', imageId] as const,
  response: (w: string | null, rolloutId: RolloutId | null) => [...keys.responses(w), 'one', rolloutId] as const,
  describes: (w: string | null) => [...keys.workspace(w), 'describes'] as const,
  samples: (w: string | null, asked: Params<'responses.ofStep'>) => [...keys.responses(w), 'samples', asked] as const,
  coverage: (w: string | null, of: Params<'describe.coverage'>) => [...keys.responses(w), 'coverage', of] as const,
  evidence: (w: string | null, asked: Params<'evidence.get'> | null) =>
    [...keys.workspace(w), 'evidence', asked] as const,

  images: (w: string | null) => [...keys.workspace(w), 'images'] as const,
  image: (w: string | null, imageId: number) => [...keys.images(w), 'one', imageId] as const,
  missingFiles: (w: string | null) => [...keys.images(w), 'missing files'] as const,
  /** It counts the images, so it is another one when they are. */
  precheck: (w: string | null, asked: Params<'runs.precheck'> | null) =>
    [...keys.images(w), 'precheck', asked] as const,
  imageCount: (w: string | null, query: ImageQuery) => [...keys.images(w), 'count', query] as const,
  imageWindow: (w: string | null, query: ImageQuery, offset: number, limit: number) =>
    [...keys.images(w), 'window', query, offset, limit] as const,

  /** The checkpoints that have responses to images. */
  imageCheckpoints: (w: string | null) => [...keys.images(w), 'checkpoints'] as const,
  imageWords: (w: string | null, checkpointId: number | null) => [...keys.images(w), 'words', checkpointId] as const,
  imageTags: (w: string | null) => [...keys.images(w), 'tags'] as const,
  imageRemovals: (w: string | null) => [...keys.images(w), 'removals'] as const,
  imports: (w: string | null) => [...keys.workspace(w), 'imports'] as const,
  importList: (w: string | null) => [...keys.imports(w), 'list'] as const,
  importIssues: (w: string | null, importId: number, offset: number) =>
    [...keys.imports(w), 'issues', importId, offset] as const,

  evaluations: (w: string | null) => [...keys.workspace(w), 'evaluations'] as const,
  evaluationList: (w: string | null) => [...keys.evaluations(w), 'list'] as const,
  /** All that is known of one evaluation. */
  evaluation: (w: string | null, evaluationId: EvaluationId) => [...keys.evaluations(w), 'one', evaluationId] as const,
  evaluationDetail: (w: string | null, evaluationId: EvaluationId) =>
    [...keys.evaluation(w, evaluationId), 'detail'] as const,
  concepts: (w: string | null, asked: Params<'evaluations.concepts'>) =>
    [...keys.evaluation(w, asked.evaluationId), 'concepts', asked] as const,
  evaluatedImages: (w: string | null, asked: Params<'evaluations.images'>) =>
    [...keys.evaluation(w, asked.evaluationId), 'images', asked] as const,

  votes: (w: string | null) => [...keys.workspace(w), 'votes'] as const,
  ballot: (w: string | null, ballot: Ballot | null) => [...keys.votes(w), 'ballot', ballot] as const,
  votePair: (w: string | null, ballot: Ballot | null) => [...keys.votes(w), 'pair', ballot] as const,

  models: (w: string | null) => [...keys.workspace(w), 'models'] as const,
  model: (w: string | null, modelId: ModelId) => [...keys.models(w), 'one', modelId] as const,
} as const
