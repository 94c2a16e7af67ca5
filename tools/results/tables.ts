// The tables of docs/results.md, made from the lines that experiments.ts keeps and put where the page marks their places:
// <!-- table NAME --> ... <!-- end -->. The words round them are written by hand.
import { readFileSync, writeFileSync } from 'node:fs'
import { kindRows } from './kinds.ts'
import type { Compared, Figure, Figures, Line } from './lines.ts'
import { chairAtRecall } from './removal.ts'
import { experiments } from './settings.ts'

type Row = readonly string[]

/** Fills in every table that the page asks for. @throws Error for one that is not known */
export function writeTables(page: string, lines: readonly Line[]): void {
  const text = readFileSync(page, 'utf8')
  const filled = text.replace(/<!-- table (\S+) -->[\s\S]*?<!-- end -->/g, (_, name: string) => {
    const make = tables[name]
    if (!make) throw new Error(`${page} asks for a table ${name}, which nothing makes`)
    return `<!-- table ${name} -->\n${make(lines)}\n<!-- end -->`
  })
  writeFileSync(page, filled)
}

const tables: Readonly<Record<string, (lines: readonly Line[]) => string>> = {
  seeds: (lines) => markdown(seedHead, withMean(linesOf(lines, 'default', 'best').map(seedRow))),
  last: (lines) => {
    const atEnd = linesOf(lines, 'default').filter(({ step, steps }) => step === steps)
    return markdown(seedHead, withMean(atEnd.map(seedRow)))
  },
  compared: (lines) =>
    markdown(
      comparedHead,
      comparedNames.flatMap((name) => comparedRows(lines, name)),
    ),
  rounds: (lines) =>
    markdown(
      comparedHead,
      ['default', 'rounds-2', 'rounds-4'].flatMap((name) => comparedRows(lines, name, false)),
    ),
  curve: (lines) =>
    markdown(
      [
        'step',
        'CHAIR_i, %',
        'falls by, %',
        'recall, points',
        'length',
        'placebo: falls by, %',
        'placebo: recall, points',
      ],
      groupedBy(linesOf(lines, 'curve'), ({ step }) => step).map(([step, some]) => [String(step), ...controlled(some)]),
    ),
  long: (lines) => {
    const long = linesOf(lines, 'curve').filter(({ step }) => step === 96 || step === 128)
    return groupedBy(long, ({ step }) => step)
      .map(([, some]) => markdown(seedHead, withMean(some.map(seedRow))))
      .join('\n\n')
  },
  strength: (lines) =>
    markdown(
      ['strength', ...controlledHead],
      groupedBy(linesOf(lines, 'strength'), ({ strength }) => strength).map(([strength, some]) => [
        String(strength),
        ...controlled(some),
      ]),
    ),
  matched: (lines) =>
    markdown(
      ['falls by, %, where recall loses at most', ...losses.map((points) => `${points} points`)],
      [
        [
          'aligned',
          ...losses.map((points) => percent(atLoss(linesOf(lines, 'strength'), ({ figures }) => figures, points))),
        ],
        [
          'its placebo',
          ...losses.map((points) =>
            percent(atLoss(linesOf(lines, 'strength'), ({ placebo }) => placebo?.figures ?? null, points)),
          ),
        ],
        [
          'words removed by the verifier’s threshold',
          ...losses.map((points) => percent(atLossByRemoval(lines, points))),
        ],
      ],
    ),
  kinds: (lines) => kindRows(linesOf(lines, 'default', 'best')),
}

const losses = [0, 1, 2, 4] as const

/** Of rows of a run beside its placebo. */
const controlledHead = [
  ...['CHAIR_i, %', 'falls by, %', 'recall, points', 'length'],
  ...['placebo: falls by, %', 'placebo: recall, points'],
]

/** Of one seed's run and placebo, with their intervals. */
const seedHead = [
  ...['seed', 'step', 'CHAIR_i, %', 'falls by, %', 'recall, points', 'length'],
  ...['placebo: falls by, %', 'placebo: recall, points'],
  ...['beyond placebo: CHAIR_i, points', 'beyond placebo: recall, points'],
]

const comparedNames = experiments.map(({ name }) => name).filter((name) => !/^(rounds|curve|strength)/.test(name))
const comparedHead = [
  'settings',
  'seeds',
  'CHAIR_i, %',
  'falls by, % (by seed)',
  'intervals below 0',
  'CHAIR_s, %',
  'recall, points (by seed)',
  'length',
  'repeats',
  'thousand tokens',
]

/** Of one experiment at its last step; with the row of its placebo. */
function comparedRows(lines: readonly Line[], name: string, withPlacebo = true): Row[] {
  const experiment = experiments.find((one) => one.name === name)
  const last = experiment?.steps.at(-1)
  const some = linesOf(lines, name, last === 'best' ? 'best' : undefined).filter(
    ({ step }) => last === 'best' || step === last,
  )
  if (!experiment || some.length === 0) return []
  const row = (title: string, figuresOf: (line: Line) => Figures | undefined): Row[] => {
    const figures = some.flatMap((line) => figuresOf(line) ?? [])
    if (figures.length === 0) return []
    const falls = figures.map(({ chairI }) => 100 * (chairI.relativeReduction[0] ?? 0))
    const recalls = figures.map(({ recall }) => 100 * (recall.difference[0] ?? 0))
    return [
      [
        ...[title, some.map(({ seed }) => seed).join(', '), arrow(figures, 'chairI')],
        `**${fixed(mean(falls), 1)}** (${falls.map((fall) => fixed(fall, 0)).join(', ')})`,
        `${figures.filter(({ chairI }) => (chairI.difference[2] ?? 0) < 0).length} of ${figures.length}`,
        arrow(figures, 'chairS'),
        `${signed(mean(recalls))} (${recalls.map((points) => signed(points)).join(', ')})`,
        ...[lengthChange(figures), fixed(mean(figures.map(({ repetition }) => repetition.difference[0] ?? 0)), 3)],
        mean(some.map(({ tokens }) => tokens / 1000)).toFixed(0),
      ],
    ]
  }
  return [
    ...row(experiment.title, ({ figures }) => figures),
    ...(withPlacebo ? row('its placebo (other images)', ({ placebo }) => placebo?.figures) : []),
  ]
}

function seedRow(line: Line): Row {
  const { figures, placebo } = line
  return [
    ...[String(line.seed), String(line.step), arrow([figures], 'chairI')],
    ...[interval(figures.chairI.relativeReduction), interval(figures.recall.difference, true), lengthChange([figures])],
    ...[percent(placebo?.figures.chairI.relativeReduction[0]), points(placebo?.figures.recall)],
    ...[interval(placebo?.beyond.chairI.difference, true), interval(placebo?.beyond.recall.difference, true)],
  ]
}

/** The mean of each column's first number, below the rows. */
function withMean(rows: readonly Row[]): Row[] {
  if (rows.length === 0) return []
  const numberOf = (cell: string) => Number(/[−-]?\d+(\.\d+)?/.exec(cell)?.[0].replace('−', '-'))
  const means = (rows[0] as Row).map((_, column) => {
    const numbers = rows.map((row) => numberOf(row[column] ?? ''))
    if (column === 0) return '**mean**'
    return column === 1 || column === 2 || numbers.some(Number.isNaN)
      ? ''
      : `**${signedLike(rows[0]?.[column] ?? '', mean(numbers))}**`
  })
  return [...rows, means]
}

/** A run and its placebo, means over seeds. */
function controlled(some: readonly Line[]): string[] {
  const side = (figures: readonly Figures[]) => [
    fixed(mean(figures.map(({ chairI }) => 100 * (chairI.relativeReduction[0] ?? 0))), 1),
    signed(mean(figures.map(({ recall }) => 100 * (recall.difference[0] ?? 0)))),
  ]
  const figures = some.map((line) => line.figures)
  const [fall = '', recall = ''] = side(figures)
  const placebo = some.flatMap((line) => line.placebo?.figures ?? [])
  return [
    arrow(figures, 'chairI'),
    fall,
    recall,
    lengthChange(figures),
    ...(placebo.length > 0 ? side(placebo) : ['', '']),
  ]
}

/** The largest fall on the way from strength 0 to 1 at which recall has lost at most so many points; means over seeds. */
function atLoss(lines: readonly Line[], figuresOf: (line: Line) => Figures | null, most: number): number | null {
  const bySeed = groupedBy(lines, ({ seed }) => seed).map(([, some]) => {
    const path = some
      .flatMap((line) => figuresOf(line) ?? [])
      .map(({ chairI, recall }) => ({
        fall: chairI.relativeReduction[0] ?? 0,
        loss: -100 * (recall.difference[0] ?? 0),
      }))
    let [best, before] = [0, { fall: 0, loss: 0 }]
    for (const point of path) {
      const share = point.loss <= most ? 1 : Math.max(0, (most - before.loss) / (point.loss - before.loss))
      if (before.loss <= most) best = Math.max(best, before.fall + share * (point.fall - before.fall))
      before = point
    }
    return best
  })
  return bySeed.length === 0 ? null : mean(bySeed)
}

function atLossByRemoval(lines: readonly Line[], most: number): number | null {
  const line = lines.find(({ removal }) => removal !== null)?.removal
  const start = line?.[0]
  if (!line || !start) return null
  const chair = chairAtRecall(line, start.recall - most / 100)
  return chair === null ? null : Math.max(0, 1 - chair / start.chairI)
}

function linesOf(lines: readonly Line[], name: string, at?: 'best'): Line[] {
  return lines
    .filter(({ experiment, step, bestStep }) => experiment === name && (at !== 'best' || step === bestStep))
    .sort((a, b) => a.seed - b.seed || a.step - b.step || a.strength - b.strength)
}

function groupedBy(lines: readonly Line[], key: (line: Line) => number): [number, Line[]][] {
  const groups = new Map<number, Line[]>()
  for (const line of lines) groups.set(key(line), [...(groups.get(key(line)) ?? []), line])
  return [...groups].sort(([a], [b]) => a - b)
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
/** With a minus sign that is as wide as a plus. */
const fixed = (value: number, digits: number): string => value.toFixed(digits).replace('-', '−')
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)}`
const signedLike = (cell: string, value: number): string => (/^[+−]/.test(cell) ? signed(value) : fixed(value, 1))
const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? '' : fixed(100 * share, 1)
const points = (compared: Compared | undefined): string => (compared ? signed(100 * (compared.difference[0] ?? 0)) : '')

function interval(figure: Figure | undefined, isSigned = false): string {
  if (!figure) return ''
  const [value, low, high] = figure.map((one) => (isSigned ? signed(100 * (one ?? Number.NaN)) : percent(one)))
  return `${value} (${low} to ${high})`
}

function arrow(figures: readonly Figures[], name: keyof Figures): string {
  const of = (side: 'before' | 'after') => (100 * mean(figures.map((one) => one[name][side] ?? 0))).toFixed(1)
  return `${of('before')} → ${of('after')}`
}

function lengthChange(figures: readonly Figures[]): string {
  return `${signed(100 * mean(figures.map(({ meanLength }) => (meanLength.after ?? 0) / (meanLength.before ?? 1) - 1)))} %`
}

/** @throws Error when a row has not as many cells as the head */
function markdown(head: Row, rows: readonly Row[]): string {
  const other = rows.find((row) => row.length !== head.length)
  if (other) throw new Error(`a row has ${other.length} cells and the head ${head.length}: ${other.join(' | ')}`)
  const line = (row: Row) => `| ${row.join(' | ')} |`
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}
