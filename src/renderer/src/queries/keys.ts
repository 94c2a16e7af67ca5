// The keys of all that is asked of main: one tree a workspace opening, so that a branch of it can be asked for again and
// nothing outlives its workspace.
import type { Params } from '../../../shared/contract.ts'
import type { ImageQuery, RolloutId, RunId } from '../../../shared/domain.ts'

/** `w` is the key of the opening (`OpenWorkspace.key`). */
export const keys = {
  workspace: (w: string | null) => ['workspace', w] as const,

  runs: (w: string | null) => [...keys.workspace(w), 'runs'] as const,
  runList: (w: string | null) => [...keys.runs(w), 'list'] as const,
  /** All that is known of one run. */
  run: (w: string | null, runId: RunId) => [...keys.runs(w), 'run', runId] as const,
  runDetail: (w: string | null, runId: RunId) => [...keys.run(w, runId), 'detail'] as const,
  runMetrics: (w: string | null, runId: RunId, names: readonly string[]) =>
    [...keys.run(w, runId), 'metrics', names] as const,

  runCheckpoints: (w: string | null, runId: RunId) => [...keys.run(w, runId), 'checkpoints'] as const,

  /** What models said, and what they were asked. */
  responses: (w: string | null) => [...keys.workspace(w), 'responses'] as const,
  responsesToImage: (w: string | null, imageId: number) => [...keys.responses(w), 'to image', imageId] as const,
  response: (w: string | null, rolloutId: RolloutId | null) => [...keys.responses(w), 'one', rolloutId] as const,
  describes: (w: string | null) => [...keys.workspace(w), 'describes'] as const,
  evidence: (w: string | null, asked: Params<'evidence.get'> | null) =>
    [...keys.workspace(w), 'evidence', asked] as const,

  images: (w: string | null) => [...keys.workspace(w), 'images'] as const,
  image: (w: string | null, imageId: number) => [...keys.images(w), 'one', imageId] as const,
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

  models: (w: string | null) => [...keys.workspace(w), 'models'] as const,
} as const
