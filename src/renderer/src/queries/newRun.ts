// What New run's page asks: what can be told of a draft at once, whether the files of the images are there, and the check
// that measures it. The check belongs to the window, not to its page: it is found again when the page is.
import { keepPreviousData, type MutationState, useMutation, useMutationState, useQuery } from '@tanstack/react-query'
import type { NewRunRequest } from '../../../shared/contract.ts'
import type { MissingFiles } from '../../../shared/domain.ts'
import { type ErrorRecord, toErrorRecord } from '../../../shared/errors.ts'
import type { RunCheck, RunPrecheck } from '../../../shared/runCheck.ts'
import { request, useWorkspaceKey } from '../api.ts'
import { attempt } from '../attempt.ts'
import { keys } from './keys.ts'

/** What is known at once; the last answer while another is awaited, null before the first and while nothing is asked. */
export function usePrecheck(asked: NewRunRequest | null): RunPrecheck | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.precheck(w, asked),
    queryFn: () => (asked === null ? null : request('runs.precheck', asked)),
    enabled: w !== null && asked !== null,
    placeholderData: keepPreviousData,
  })
  return asked === null ? null : (data ?? null)
}

/** Images whose files are not where they were; null before the first answer. */
export function useMissingFiles(): MissingFiles | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({
    queryKey: keys.missingFiles(w),
    queryFn: () => request('images.missing', {}),
    enabled: w !== null,
  })
  return data ?? null
}

export interface RunCheckState {
  readonly isBusy: boolean
  /** What it was asked of; null before the first. */
  readonly asked: NewRunRequest | null
  readonly result: RunCheck | null
  readonly error: ErrorRecord | null
  readonly start: (asked: NewRunRequest) => void
  readonly cancel: () => void
}

/** The last check of this workspace. */
export function useRunCheck(): RunCheckState {
  const w = useWorkspaceKey()
  const mutationKey = keys.runCheck(w)
  const { mutate } = useMutation({ mutationKey, mutationFn: (asked: NewRunRequest) => request('runs.check', asked) })
  const states = useMutationState({
    filters: { mutationKey, exact: true },
    select: ({ state }) => state as MutationState<RunCheck, Error, NewRunRequest>,
  })
  const last = states.at(-1)
  return {
    isBusy: last?.status === 'pending',
    asked: last?.variables ?? null,
    result: last?.data ?? null,
    error: last?.error ? toErrorRecord(last.error) : null,
    start: mutate,
    cancel: () => attempt(() => request('runs.cancelCheck', {})),
  }
}
