// What pages ask of evaluations and of people's votes, and what their events mean for the answers.
import { keepPreviousData, type QueryClient, useQuery } from '@tanstack/react-query'
import type { Params, Result } from '../../../shared/contract.ts'
import type { EvaluationId } from '../../../shared/domain.ts'
import type { Ballot, BallotView, EvaluationDetail, EvaluationView, VotePair } from '../../../shared/evaluations.ts'
import { request, useWorkspaceKey } from '../api.ts'
import { keys } from './keys.ts'

/** The evaluations of the workspace, newest first; null before the first answer. */
export function useEvaluations(): readonly EvaluationView[] | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.evaluationList(w),
    queryFn: () => request('evaluations.list', {}),
    enabled: w !== null,
  })
  return data?.evaluations ?? null
}

/** What the page of an evaluation shows; null before the first answer. */
export function useEvaluation(evaluationId: EvaluationId): EvaluationDetail | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.evaluationDetail(w, evaluationId),
    queryFn: () => request('evaluations.get', { evaluationId }),
    enabled: w !== null,
  })
  return data ?? null
}

/** A part of the object words; the last one while another is awaited, null before the first. */
export function useConcepts(asked: Params<'evaluations.concepts'>): Result<'evaluations.concepts'> | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.concepts(w, asked),
    queryFn: () => request('evaluations.concepts', asked),
    enabled: w !== null,
    placeholderData: keepPreviousData,
  })
  return data ?? null
}

/** A part of the images behind a figure; null before the first answer. */
export function useEvaluatedImages(asked: Params<'evaluations.images'>): Result<'evaluations.images'> | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.evaluatedImages(w, asked),
    queryFn: () => request('evaluations.images', asked),
    enabled: w !== null,
    placeholderData: keepPreviousData,
  })
  return data ?? null
}

/** How two policies stand to be voted on; null before the first answer and without a ballot. */
export function useBallot(ballot: Ballot | null): BallotView | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.ballot(w, ballot),
    queryFn: () => (ballot === null ? null : request('votes.begin', ballot)),
    enabled: w !== null && ballot !== null,
  })
  return data ?? null
}

/** The pair to vote on: undefined before the first answer, null when none is left. */
export function useVotePair(ballot: Ballot | null): VotePair | null | undefined {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.votePair(w, ballot),
    queryFn: () => (ballot === null ? null : request('votes.next', ballot)),
    enabled: w !== null && ballot !== null,
  })
  return data
}

/** An evaluation goes on: how far it is is written down; a state that is new has more to it and is asked for. */
export function followEvaluation(client: QueryClient, w: string | null, view: EvaluationView): void {
  const { evaluationId } = view
  const before = client.getQueryData<Result<'evaluations.list'>>(keys.evaluationList(w))
  const index = before?.evaluations.findIndex((one) => one.evaluationId === evaluationId) ?? -1
  const known = before?.evaluations[index]
  // Another one is asked for, or there are figures to tell, so the pages of sweeps may have more to show.
  if (!known || (view.state === 'done' && known.state !== 'done'))
    void client.invalidateQueries({ queryKey: keys.sweeps(w) })
  if (before && index >= 0) {
    client.setQueryData<Result<'evaluations.list'>>(keys.evaluationList(w), {
      evaluations: before.evaluations.with(index, view),
    })
  } else {
    void client.invalidateQueries({ queryKey: keys.evaluationList(w) })
  }
  const detail = client.getQueryData<EvaluationDetail>(keys.evaluationDetail(w, evaluationId))
  if (!detail) return
  client.setQueryData<EvaluationDetail>(keys.evaluationDetail(w, evaluationId), { ...detail, ...view })
  if (detail.state !== view.state) void client.invalidateQueries({ queryKey: keys.evaluation(w, evaluationId) })
}

/** An evaluation is gone from the list, and nothing is asked of it any more. */
export function followDeletedEvaluation(client: QueryClient, w: string | null, evaluationId: EvaluationId): void {
  client.setQueryData<Result<'evaluations.list'>>(
    keys.evaluationList(w),
    (list) => list && { evaluations: list.evaluations.filter((one) => one.evaluationId !== evaluationId) },
  )
  client.removeQueries({ queryKey: keys.evaluation(w, evaluationId), type: 'inactive' })
  void client.invalidateQueries({ queryKey: keys.sweeps(w) })
}
