// The tables of docs/results.md from two made-up lines, each cell worked by hand.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Compared, Figures, Line } from './lines.ts'
import { writeTables } from './tables.ts'

const home = mkdtempSync(join(tmpdir(), 'fisao-tables-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

function filled(table: string, lines: readonly Line[]): string[] {
  const page = join(home, `${table}.md`)
  writeFileSync(page, `before\n<!-- table ${table} -->\nold\n<!-- end -->\nafter\n`)
  writeTables(page, lines)
  const text = readFileSync(page, 'utf8').split('\n')
  expect([text[0], text.at(-2)]).toEqual(['before', 'after'])
  return text.slice(2, -3)
}

/** A figure that went from one value to another, its intervals a tenth to each side. */
function compared(before: number, after: number): Compared {
  const [difference, relative] = [after - before, (before - after) / before]
  return {
    ...{ before, after, difference: [difference, difference - 0.1, difference + 0.1] },
    relativeReduction: [relative, relative - 0.1, relative + 0.1],
  }
}

function figures(chairI: number, recall: number, meanLength = 16): Figures {
  return {
    ...{ chairI: compared(0.2, chairI), chairS: compared(0.6, 0.3), recall: compared(0.9, recall) },
    ...{ meanLength: compared(16, meanLength), repetition: compared(0.01, 0.03) },
  } as Figures
}

function line(seed: number, change: Partial<Line>): Line {
  return {
    ...{
      key: 'k',
      experiment: 'default',
      seed,
      step: 64,
      strength: 1,
      seconds: 1,
      bestStep: 64,
      steps: 64,
      tokens: 2000,
    },
    ...{ verifier: { estimated: 0.9, annotated: 0.9 }, figures: figures(0.1, 0.9), placebo: null, byObject: null },
    ...{ removal: null, ...change },
  }
}

const placebo = { figures: figures(0.22, 0.8), beyond: figures(0.1, 0.9) }

test('seeds: one row a seed at its best step, its interval, what lies beyond the placebo, and the mean', () => {
  const rows = filled('seeds', [
    line(1, { placebo }),
    line(1, { step: 32 }),
    line(2, { placebo, figures: figures(0.08, 0.88, 15.2) }),
  ])
  expect(rows).toHaveLength(5)
  expect(new Set(rows.map((row) => row.split('|').length))).toEqual(new Set([12]))
  expect(rows[2]).toBe(
    '| 1 | 64 | 20.0 → 10.0 | 50.0 (40.0 to 60.0) | +0.0 (−10.0 to +10.0) | +0.0 % | −10.0 | −10.0 | ' +
      '−10.0 (−20.0 to +0.0) | +0.0 (−10.0 to +10.0) |',
  )
  expect(rows[3]).toContain('| 2 | 64 | 20.0 → 8.0 | 60.0 (50.0 to 70.0) | −2.0 (−12.0 to +8.0) | −5.0 % |')
  expect(rows[4]).toBe(
    '| **mean** |  |  | **55.0** | **−1.0** | **−2.5** | **−10.0** | **−10.0** | **−10.0** | **+0.0** |',
  )
})

test('last: the same at the last step, whatever the run would export', () => {
  const rows = filled('last', [
    line(1, { step: 32, bestStep: 32 }),
    line(1, { bestStep: 32, figures: figures(0.08, 0.88) }),
  ])
  expect(rows).toHaveLength(4)
  expect(rows[2]).toContain('| 1 | 64 | 20.0 → 8.0 |')
})

test('compared: a row an experiment at its last step, its placebo below it', () => {
  const rows = filled('compared', [line(1, { placebo }), line(2, { figures: figures(0.08, 0.88) })])
  expect(rows[2]).toBe(
    '| token level, linear (the default) | 1, 2 | 20.0 → 9.0 | **55.0** (50, 60) | 1 of 2 | 60.0 → 30.0 | ' +
      '−1.0 (+0.0, −2.0) | +0.0 % | 0.020 | 2 |',
  )
  expect(rows[3]).toContain('| its placebo (other images) | 1, 2 | 20.0 → 22.0 | **−10.0** (−10) |')
})

test('strength and matched: the largest fall on the way to strength 1 at which recall has lost so much', () => {
  const at = (strength: number, chairI: number, recall: number) =>
    line(1, { experiment: 'strength', strength, figures: figures(chairI, recall) })
  const lines = [at(0.5, 0.14, 0.905), at(1, 0.1, 0.885)]
  expect(filled('strength', lines)[2]).toBe('| 0.5 | 20.0 → 14.0 | 30.0 | +0.5 | +0.0 % |  |  |')
  // From +0.5 to -1.5 points and 30 to 50 %: 0 is reached a quarter of the way, -1 at three quarters.
  expect(filled('matched', lines)[2]).toBe('| aligned | 35.0 | 45.0 | 50.0 | 50.0 |')
})

test('a table that nothing makes is refused by name', () => {
  expect(() => filled('nonsense', [])).toThrow(/nonsense/)
})
