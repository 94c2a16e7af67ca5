// What pages ask of responses, of questions on their way, and of where an image shows a word.
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, type QueryClient, queryOptions, useMutation, useQuery } from '@tanstack/react-query'
import type { Params, Result } from '../../../shared/contract.ts'
import type {
  CheckpointView,
  DescribeView,
  Evidence,
  LibraryDescribe,
  Question,
  ResponseView,
  ResponseViewDetail,
} from '../../../shared/describe.ts'
import type { ImageFacts, RolloutId, RunId } from '../../../shared/domain.ts'
import { type ErrorRecord, toErrorRecord } from '../../../shared/errors.ts'
import { request, useWorkspaceKey } from '../api.ts'
import { report } from '../attempt.ts'
import { keys } from './keys.ts'

/** One image: undefined before the first answer, null when the workspace has it no more. */
export function useImage(imageId: number): ImageFacts | null | undefined {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.image(w, imageId),
    queryFn: () => request('images.get', { imageId }),
    enabled: w !== null,
  })
  return data?.image
}

/** The checkpoints of a run by step; null before the first answer and without a run. */
export function useCheckpoints(runId: RunId | null): readonly CheckpointView[] | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    ...checkpointsOptions(w, runId ?? (0 as RunId)),
    enabled: w !== null && runId !== null,
  })
  return data?.checkpoints ?? null
}

export function checkpointsOptions(w: string | null, runId: RunId) {
  return queryOptions({
    queryKey: keys.runCheckpoints(w, runId),
    queryFn: () => request('runs.checkpoints', { runId }),
  })
}

/** The stored responses to an image; null before the first answer. */
export function useResponses(imageId: number): readonly ResponseView[] | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({ ...responsesOptions(w, imageId), enabled: w !== null })
  return data?.responses ?? null
}

export function responsesOptions(w: string | null, imageId: number) {
  return queryOptions({
    queryKey: keys.responsesToImage(w, imageId),
    queryFn: () => request('responses.toImage', { imageId }),
  })
}

/** A response with its tokens and words; null before the first answer and without an id. */
export function useResponse(rolloutId: RolloutId | null): ResponseViewDetail | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    ...responseOptions(w, rolloutId ?? (0 as RolloutId)),
    enabled: w !== null && rolloutId !== null,
  })
  return data ?? null
}

export function responseOptions(w: string | null, rolloutId: RolloutId) {
  return queryOptions({
    queryKey: keys.response(w, rolloutId),
    queryFn: () => request('responses.get', { rolloutId }),
  })
}

const none: readonly DescribeView[] = []

/** What was asked and is on its way or has ended lately, in the order of asking. */
export function useDescribes(): readonly DescribeView[] {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.describes(w),
    queryFn: () => request('describe.list', {}),
    enabled: w !== null,
  })
  return data?.describes ?? none
}

/** Asks, and cancels what was asked. */
export function useAsk(): {
  readonly ask: (question: Question) => void
  readonly cancel: (describeId: number) => void
} {
  const { mutate: ask } = useMutation({
    mutationFn: (question: Question) => request('describe.start', question),
    onError: report,
  })
  const { mutate: cancel } = useMutation({
    mutationFn: (describeId: number) => request('describe.cancel', { describeId }),
    onError: report,
  })
  return { ask, cancel }
}

/** How many images a checkpoint has described; null before the first answer. */
export function useCoverage({ runId, step }: LibraryDescribe): Result<'describe.coverage'> | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.coverage(w, { runId, step }),
    queryFn: () => request('describe.coverage', { runId, step }),
    enabled: w !== null,
  })
  return data ?? null
}

/** What a run said at one of its steps, a page of it; the last page while the next is awaited, null before the first. */
export function useSamples(asked: Params<'responses.ofStep'>): Result<'responses.ofStep'> | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.samples(w, asked),
    queryFn: () => request('responses.ofStep', asked),
    enabled: w !== null,
    placeholderData: keepPreviousData,
  })
  return data ?? null
}

/** A question goes on: its progress is written down; what it ended with is asked for. */
export function followDescribe(client: QueryClient, w: string | null, view: DescribeView): void {
  const before = client.getQueryData<Result<'describe.list'>>(keys.describes(w))
  if (before) {
    const { describes } = before
    const index = describes.findIndex(({ describeId }) => describeId === view.describeId)
    client.setQueryData<Result<'describe.list'>>(keys.describes(w), {
      describes: index < 0 ? [...describes, view] : describes.with(index, view),
    })
  } else {
    // Not one view for all: the list may be on its way, and would come without this one.
    void client.invalidateQueries({ queryKey: keys.describes(w) })
  }
  if (!['done', 'cancelled', 'failed'].includes(view.state)) return
  // The grid marks images by what was said of them, and filters by it.
  void client.invalidateQueries({ queryKey: keys.images(w) })
  if (view.about === 'library') {
    void client.invalidateQueries({ queryKey: keys.runCheckpoints(w, view.runId) })
    void client.invalidateQueries({ queryKey: keys.responses(w) })
  } else if (view.state === 'done') {
    void client.invalidateQueries({ queryKey: keys.responsesToImage(w, view.question.imageId) })
  }
}

export interface EvidenceAnswer {
  readonly evidence: Evidence | null
  /** Why there is none. */
  readonly error: ErrorRecord | null
}

/** Arrow keys pass over words, and maps are computed one after the other. */
const settlesMs = 150

/** Where an image shows a word, asked once the word stays; null before the first answer and when nothing is asked. */
export function useEvidence(asked: Params<'evidence.get'> | null): EvidenceAnswer | null {
  const w = useWorkspaceKey()
  const [settled] = useDebouncedValue(JSON.stringify(asked), settlesMs)
  const { data } = useQuery({
    queryKey: keys.evidence(w, asked),
    queryFn: async (): Promise<EvidenceAnswer> => {
      if (asked === null) return { evidence: null, error: null }
      // Said beside the image, and not as a message over the page: the words are of use without it.
      return await request('evidence.get', asked).then(
        (evidence) => ({ evidence, error: null }),
        (thrown: unknown) => ({ evidence: null, error: toErrorRecord(thrown) }),
      )
    },
    enabled: w !== null && asked !== null && settled === JSON.stringify(asked),
  })
  return data ?? null
}
