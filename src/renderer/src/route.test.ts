import { describe, expect, test } from 'vitest'
import type { RunId } from '../../shared/domain.ts'
import { go, historySchema, lastOf, type Route, replace, routeOf, routeSchema, startAt, visit } from './route.ts'

const runs = (runId: number | null): Route => ({ page: 'runs', runId: runId as RunId | null, sweepId: null })
const [home, images, settings]: readonly Route[] = [{ page: 'home' }, { page: 'images' }, { page: 'settings' }]
const along = (...routes: readonly Route[]) => routes.slice(1).reduce(visit, startAt(routes[0]!))

describe('a route', () => {
  test('takes defaults for what is left out, and needs the image of the inspector', () => {
    expect(routeSchema.parse({ page: 'runs' })).toEqual({ page: 'runs', runId: null, sweepId: null })
    expect(routeSchema.parse({ page: 'inspector', imageId: 7, right: 3 })).toEqual({
      ...{ page: 'inspector', imageId: 7, runId: null, left: null, right: 3 },
    })
    expect(routeSchema.safeParse({ page: 'inspector' }).success).toBe(false)
    expect(routeSchema.safeParse({ page: 'no such page' }).success).toBe(false)
    expect(routeSchema.safeParse({ page: 'runs', runId: -1 }).success).toBe(false)
  })
})

describe('a history', () => {
  test('goes back and forward along what was visited, and no further', () => {
    const all = along(home!, images!, runs(2))
    const back = go(all, -1)
    expect([routeOf(all), routeOf(back), routeOf(go(back, -1)), routeOf(go(back, 1))]).toEqual([
      ...[runs(2), images, home, runs(2)],
    ])
    expect(go(all, 1)).toBe(all)
    expect(routeOf(go(go(go(all, -1), -1), -1))).toEqual(home)
  })

  test('forgets what lay ahead when another way is taken', () => {
    const other = visit(go(along(home!, images!, runs(2)), -1), settings!)
    expect(other).toEqual({ entries: [home, images, settings], index: 2 })
  })

  test('does not visit the route that is shown, also when its keys stand in another order', () => {
    const all = along(home!, runs(2))
    expect(visit(all, { sweepId: null, runId: 2 as RunId, page: 'runs' })).toBe(all)
    expect(visit(all, runs(3)).entries).toHaveLength(3)
  })

  test('replaces a route in its place', () => {
    expect(replace(go(along(home!, images!, runs(2)), -1), settings!)).toEqual({
      ...{ entries: [home, settings, runs(2)], index: 1 },
    })
  })

  test('keeps the last hundred', () => {
    const many = along(...Array.from({ length: 130 }, (_, number) => runs(number + 1)))
    expect([many.entries.length, many.index, many.entries[0]]).toEqual([100, 99, runs(31)])
    expect(historySchema.parse(many)).toEqual(many)
  })

  test('finds a page as it was left: before what is shown, or else ahead of it', () => {
    const all = along(runs(1), images!, runs(2), home!)
    expect(lastOf(all, 'runs')).toEqual(runs(2))
    expect(lastOf(go(all, -3), 'runs')).toEqual(runs(1))
    expect(lastOf(go(along(home!, runs(5)), -1), 'runs')).toEqual(runs(5))
    expect(lastOf(all, 'settings')).toBeUndefined()
  })

  test('that was stored is refused when it shows no entry', () => {
    expect(historySchema.safeParse({ entries: [home], index: 1 }).success).toBe(false)
    expect(historySchema.safeParse({ entries: [], index: 0 }).success).toBe(false)
  })
})
