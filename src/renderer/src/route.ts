// Where in the window a person is, as one value, and the way they came: what back and forward go along. Pure; place.ts
// keeps it for the workspace that is open.
import { z } from 'zod'
import { checkpointIdSchema, evaluationIdSchema, modelIdSchema, runIdSchema } from '../../shared/domain.ts'

const imageId = z.int().positive()
const run = runIdSchema.nullable().default(null)
/** One of two checkpoints that are held side by side; null is the model as it came. */
const checkpoint = checkpointIdSchema.nullable().default(null)

/** A page with all that says what it shows. Every value but `page` and the image of the inspector may be left out. */
export const routeSchema = z.discriminatedUnion('page', [
  z.object({ page: z.literal('home') }),
  z.object({ page: z.literal('images') }),
  z.object({ page: z.literal('inspector'), imageId, runId: run, left: checkpoint, right: checkpoint }),
  /** Without a run and a sweep: the run that is under way, or else the newest. */
  z.object({ page: z.literal('runs'), runId: run, sweepId: z.string().max(100).nullable().default(null) }),
  /** Its draft is kept, not in the route. */
  z.object({ page: z.literal('new-run') }),
  /** Without a model: the one that was added last. */
  z.object({ page: z.literal('models'), modelId: modelIdSchema.nullable().default(null) }),
  /** Without an evaluation: the newest. */
  z.object({ page: z.literal('evaluate'), runId: run, evaluationId: evaluationIdSchema.nullable().default(null) }),
  z.object({
    ...{ page: z.literal('try'), imageId: imageId.nullable().default(null), runId: run },
    ...{ left: checkpoint, right: checkpoint, prompt: z.string().max(2000).default('') },
  }),
  z.object({ page: z.literal('settings') }),
])
export type Route = z.infer<typeof routeSchema>
export type PageName = Route['page']
/** The route of one page. */
export type RouteTo<P extends PageName> = Extract<Route, { readonly page: P }>
/** A route as it is asked for: what is left out takes its default. */
export type RouteRequest = z.input<typeof routeSchema>

/** So many steps back are kept. */
const mostEntries = 100

export const historySchema = z
  .object({ entries: z.array(routeSchema).min(1).max(mostEntries), index: z.int().nonnegative() })
  .refine(({ entries, index }) => index < entries.length, 'the index lies beyond the entries')
/** Routes in the order in which they were visited; `index` is the one that is shown. */
export type History = z.infer<typeof historySchema>

export function startAt(route: Route): History {
  return { entries: [route], index: 0 }
}

export function routeOf({ entries, index }: History): Route {
  const route = entries[index]
  if (!route) throw new RangeError(`the history has no entry ${index}`)
  return route
}

/** Goes to a route; what lay ahead is forgotten. The route that is shown already is not visited again. */
export function visit(history: History, route: Route): History {
  if (isSame(routeOf(history), route)) return history
  const entries = [...history.entries.slice(0, history.index + 1), route].slice(-mostEntries)
  return { entries, index: entries.length - 1 }
}

/** Another route in the place of the one that is shown: for what a person would not want to go back through. */
export function replace(history: History, route: Route): History {
  return { ...history, entries: history.entries.with(history.index, route) }
}

/** @param steps -1 for back, 1 for forward; beyond either end nothing changes */
export function go(history: History, steps: number): History {
  const index = history.index + steps
  return index in history.entries ? { ...history, index } : history
}

/** The route of this page that was shown last, so that a page is found as it was left; undefined if there is none. */
export function lastOf<P extends PageName>({ entries, index }: History, page: P): RouteTo<P> | undefined {
  const isOfPage = (route: Route): route is RouteTo<P> => route.page === page
  return entries.slice(0, index + 1).findLast(isOfPage) ?? entries.slice(index + 1).find(isOfPage)
}

function isSame(a: Route, b: Route): boolean {
  // Both are made by the schema, so their keys stand in one order.
  return JSON.stringify(routeSchema.parse(a)) === JSON.stringify(routeSchema.parse(b))
}
