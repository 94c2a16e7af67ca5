// Turns the JSON lines of measure.ts into the rows of docs/results.md, one a file: means over seeds, and for how many
// seeds the interval of the paired difference of CHAIR_i lies below 0.
//
//   npx tsx tools/results/table.ts "paper rule=/tmp/paper.jsonl" "first mention=/tmp/first.jsonl"
import { readFileSync } from 'node:fs'
import type { ChairReport, ObjectCounts } from '../../src/shared/evaluation.ts'

interface Line {
  readonly seed: number
  readonly strength: number
  readonly step: number
  readonly seconds: number
  readonly tokens: number
  readonly tokensToStep?: number
  readonly report: Omit<ChairReport, 'responses'>
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

function row(name: string, lines: readonly Line[]): string {
  const of = (figure: keyof ChairReport['figures'], side: 'before' | 'after') =>
    lines.map(({ report }) => report.figures[figure][side].value ?? 0)
  const percent = (figure: keyof ChairReport['figures'], side: 'before' | 'after') =>
    (100 * mean(of(figure, side))).toFixed(1)
  const reductions = lines.map(({ report }) => 100 * (report.figures.chairI.relativeReduction.value ?? 0))
  const below = lines.filter(({ report }) => (report.figures.chairI.difference.high ?? 0) < 0).length
  const recall = mean(of('recall', 'after').map((after, i) => 100 * (after - (of('recall', 'before')[i] as number))))
  const length = mean(
    of('meanLength', 'after').map((after, i) => after / (of('meanLength', 'before')[i] as number) - 1),
  )
  const repeats = mean(of('repetition', 'after').map((after, i) => after - (of('repetition', 'before')[i] as number)))
  const lost = (isHallucinated: boolean) =>
    mean(
      lines.map(
        ({ report }) =>
          mentions(report.byObject.before, isHallucinated) - mentions(report.byObject.after, isHallucinated),
      ),
    )
  const cells = [
    name,
    lines.map(({ seed }) => seed).join(', '),
    `${percent('chairI', 'before')} → ${percent('chairI', 'after')}`,
    `**${mean(reductions).toFixed(1)}** (${reductions.map((one) => one.toFixed(0)).join(', ')})`,
    `${below} of ${lines.length}`,
    `${percent('chairS', 'before')} → ${percent('chairS', 'after')}`,
    `${recall >= 0 ? '+' : '−'}${Math.abs(recall).toFixed(1)}`,
    `${(100 * length).toFixed(1)} %`,
    repeats.toFixed(3),
    (lost(true) / lost(false)).toFixed(1),
    mean(lines.map(({ tokens, tokensToStep }) => (tokensToStep ?? tokens) / 1000)).toFixed(0),
    lines.map(({ step }) => step).join(', '),
  ]
  return `| ${cells.join(' | ')} |`
}

function mentions(objects: readonly ObjectCounts[], isHallucinated: boolean): number {
  return objects.reduce(
    (sum, one) => sum + (isHallucinated ? one.hallucinatedMentions : one.mentions - one.hallucinatedMentions),
    0,
  )
}

const head = [
  ...['settings', 'seeds', 'CHAIR_i, %', 'relative fall, % (by seed)', 'interval below 0', 'CHAIR_s, %'],
  ...[
    'recall, points',
    'length',
    'repeats',
    'hallucinated words gone for each right one',
    'thousand tokens',
    'best step',
  ],
]
console.log(`| ${head.join(' | ')} |\n|${' --- |'.repeat(head.length)}`)
for (const argument of process.argv.slice(2)) {
  const [name = '', file = ''] = argument.split(/=(.*)/s)
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  console.log(
    row(
      name,
      lines.map((line): Line => JSON.parse(line)),
    ),
  )
}
