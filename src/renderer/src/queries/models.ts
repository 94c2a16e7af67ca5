// What pages ask of models; adding and removing them goes through here too, so that every list knows.
import { queryOptions, useQuery, useQueryClient } from '@tanstack/react-query'
import type { ModelId } from '../../../shared/domain.ts'
import type { ModelDetails } from '../../../shared/modelDetails.ts'
import type { ModelView } from '../../../shared/runView.ts'
import { request, useWorkspaceKey } from '../api.ts'
import { keys } from './keys.ts'

/** The models of the workspace; null before the first answer. */
export function useModels(): readonly ModelView[] | null {
  const w = useWorkspaceKey()
  const { data } = useQuery({ ...modelsOptions(w), enabled: w !== null })
  return data ?? null
}

export function modelsOptions(w: string | null) {
  return queryOptions({ queryKey: keys.models(w), queryFn: () => request('models.list', {}) })
}

/** What the folders of a model hold now, and where it is used. `again` asks anew, after a failure for example. */
export function useModelDetails(modelId: ModelId): {
  readonly details: ModelDetails | null
  readonly hasFailed: boolean
  readonly again: () => void
} {
  const w = useWorkspaceKey()
  const { data, isError, refetch } = useQuery({
    queryKey: keys.model(w, modelId),
    queryFn: () => request('models.details', { modelId }),
    enabled: w !== null,
  })
  return { details: data ?? null, hasFailed: isError, again: () => void refetch() }
}

/** Says that models were added, changed or removed; resolves when the list is current. */
export function useModelsChanged(): () => Promise<void> {
  const w = useWorkspaceKey()
  const client = useQueryClient()
  return () => client.invalidateQueries({ queryKey: keys.models(w) })
}
