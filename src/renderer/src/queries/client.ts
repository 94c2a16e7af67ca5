// The one store of answers from main. Main is at hand and says what changed (invalidate.ts), so nothing is asked again by
// time, focus or failure; a page that is shown anew shows what is known and asks meanwhile.
import { QueryCache, QueryClient } from '@tanstack/react-query'
import { report } from '../attempt.ts'

/** Marks what is asked before anybody needs it: what fails is asked again, and told, when somebody does. */
export const aheadOfNeed = { isAhead: true }

/** How long answers that nothing shows are kept. */
const keptMs = 10 * 60_000

export function makeQueryClient(onError: (thrown: unknown) => void = report): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError: (thrown, { meta }) => {
        if (meta !== aheadOfNeed) onError(thrown)
      },
    }),
    defaultOptions: {
      queries: {
        ...{ staleTime: Number.POSITIVE_INFINITY, gcTime: keptMs, retry: false, networkMode: 'always' },
        ...{ refetchOnMount: 'always', refetchOnWindowFocus: false, refetchOnReconnect: false },
      },
      mutations: { retry: false, networkMode: 'always' },
    },
  })
}
