// A sweep as its page shows it: its runs by setting, and what each setting came to over its seeds, by the verifier's estimates
// and by CHAIR where it was measured. Before it stand db/sweeps.ts, looks and evaluations, after it sweeps.ts.
import type { RunId, RunRecord } from '../../shared/domain.ts'
import { StudioError } from '../../shared/errors.ts'
import { presets, type RunConfig, runConfigSchema } from '../../shared/runConfig.ts'
import { lookViewSchema } from '../../shared/runView.ts'
import { choiceLabel, runSections, settingFields } from '../../shared/settingFields.ts'
import { shownText } from '../../shared/shownText.ts'
import { meanWithInterval } from '../../shared/studentT.ts'
import { mostCells } from '../../shared/sweep.ts'
import type { SweepDetail, SweepFigure, SweepRow, SweepTable, SweepView } from '../../shared/sweepView.ts'
import type { ReadableDb } from '../db/connection.ts'
import { pinnedLookStep, thinnedLooks } from '../db/looks.ts'
import { modelName } from '../db/models.ts'
import { runById } from '../db/runs.ts'
import { runsOfSweep, type SweepRecord, sweepById } from '../db/sweeps.ts'
import { chairAskedOf, chairOfRuns, type PolicyFigures, type RunFigures, subjectOf } from './sweepChair.ts'

/** Rows of a run that the overlay draws. */
const mostLooks = 100

export function viewOfSweep(db: ReadableDb, { name, ...sweep }: SweepRecord): SweepView {
  const runs = runsOfSweep(db, sweep.sweepId)
  const complete = runs.filter(({ runId }) => runById(db, runId)?.state === 'complete').length
  return { ...sweep, name: shownText(name), runs: runs.length, complete }
}

/** @throws StudioError `run.no-sweep` */
export function detailOfSweep(
  db: ReadableDb,
  sweepId: string,
): Omit<SweepDetail, 'collection' | 'error' | 'isCollecting'> {
  const sweep = requireSweep(db, sweepId)
  const members = membersOf(db, sweepId)
  const settings = settingsOf(db, members)
  const estimates = new Map(members.flatMap((member) => pairOf(member, estimateOf(db, member, members))))
  const subjects = ownRunsOf(members).map((run) => subjectOf(db, run))
  const chair = new Map([...chairOfRuns(db, subjects)].filter(([runId]) => estimates.has(runId)))
  const tables: SweepTable[] = [
    ...(chair.size > 0 ? [{ source: 'chair' as const, rows: settings.map((one) => rowOf(one, chair)) }] : []),
    { source: 'estimate', rows: settings.map((one) => rowOf(one, estimates)) },
  ]
  return {
    ...{ sweep: viewOfSweep(db, sweep), tables, chair: chairAskedOf(db, subjects) },
    runs: members.map(({ run, isPlacebo, setting }) => {
      const { runId, name, seed, state } = run
      const looks = thinnedLooks(db, runId, pinnedLookStep(db, runId), mostLooks)
      const row = settings.findIndex(({ key }) => key === setting)
      return { runId, name: shownText(name), seed, state, isPlacebo, row, looks: looks.map(drawn) }
    }),
  }
}

/** @throws StudioError `run.no-sweep` */
export function requireSweep(db: ReadableDb, sweepId: string): SweepRecord {
  const sweep = sweepById(db, sweepId)
  if (sweep) return sweep
  throw new StudioError({
    code: 'run.no-sweep',
    message: 'This sweep is not in the workspace any more.',
    remedy: 'Choose another run or sweep of the list.',
    where: sweepId,
  })
}

function drawn(look: unknown) {
  const { step, hallucinationRate, coverage } = lookViewSchema.parse(look)
  return { step, hallucinationRate, coverage }
}

/** A run of a sweep. */
interface Member {
  readonly run: RunRecord
  readonly cell: number
  readonly config: RunConfig | null
  readonly isPlacebo: boolean
  /** The same for runs that differ in nothing but the seed, and for their placebos. */
  readonly setting: string
}

/** The runs of a sweep without placebos, at most as many as a sweep has cells. */
export function ownRunsOf(members: readonly Member[]): RunRecord[] {
  const own = members.filter(({ isPlacebo }) => !isPlacebo)
  return own.map(({ run }) => run).slice(0, mostCells)
}

export function membersOf(db: ReadableDb, sweepId: string): Member[] {
  return runsOfSweep(db, sweepId).flatMap(({ runId, cell }) => {
    const run = runById(db, runId)
    if (!run) return []
    const config = runConfigSchema.safeParse(run.config).data ?? null
    const isPlacebo = config?.reward.verifier === 'placebo'
    return [{ run, cell, config, isPlacebo, setting: settingOf(run, config) }]
  })
}

function settingOf({ modelId, preset }: RunRecord, config: RunConfig | null): string {
  if (!config) return JSON.stringify([modelId, preset])
  const reward = { ...config.reward, verifier: 'own' }
  const calibration = { ...config.calibration, goOnRefused: false }
  return JSON.stringify([modelId, preset, { ...config, reward, calibration }])
}

interface Setting {
  readonly key: string
  readonly label: string
  readonly members: readonly Member[]
}

/** In the order of the cells; each is called by what it has of its own. */
function settingsOf(db: ReadableDb, members: readonly Member[]): Setting[] {
  const keys = [...new Set(members.map(({ setting }) => setting))]
  const groups = keys.map((key) => [key, members.filter(({ setting }) => setting === key)] as const)
  const firsts = groups.map(([, group]) => group[0] as Member)
  return groups.map(([key, group], i) => {
    const first = firsts[i] as Member
    const words = [
      ...(isVaried(firsts, ({ run }) => run.modelId) ? [shownText(modelName(db, first.run.modelId) ?? '')] : []),
      ...(isVaried(firsts, ({ run }) => run.preset) ? [presetTitle(first.run.preset)] : []),
      ...variedSettings(first, firsts),
    ]
    return { key, members: group, label: words.join(', ') || 'All settings alike' }
  })
}

const isVaried = (members: readonly Member[], of: (member: Member) => unknown): boolean =>
  new Set(members.map(of)).size > 1

function presetTitle(preset: string): string {
  return Object.entries(presets).find(([name]) => name === preset)?.[1].title ?? shownText(preset)
}

/** Settings in which a run differs from others of its own preset. */
function variedSettings({ config, run }: Member, firsts: readonly Member[]): string[] {
  const others = firsts.flatMap((one) => (one.run.preset === run.preset && one.config ? [one.config] : []))
  if (!config) return []
  return runSections.flatMap((section) =>
    settingFields(section).flatMap((field) => {
      const valueIn = (one: RunConfig) => (one[section] as Readonly<Record<string, unknown>>)[field.name]
      if (field.name === 'verifier' || field.name === 'goOnRefused') return []
      if (new Set(others.map(valueIn)).size < 2) return []
      const value = valueIn(config)
      return [field.kind === 'choice' ? choiceLabel(field, String(value)) : `${field.title} ${value ?? 'none'}`]
    }),
  )
}

/** Only runs that came to their end count, without placebos. */
const pairOf = ({ run, isPlacebo }: Member, figures: RunFigures | null): [RunId, RunFigures][] =>
  isPlacebo || run.state !== 'complete' || !figures ? [] : [[run.runId, figures]]

/** By the looks at the validation images: as it came, and at the step that is kept. */
function estimateOf(db: ReadableDb, { run, cell }: Member, members: readonly Member[]): RunFigures | null {
  const step = pinnedLookStep(db, run.runId)
  const placebo = members.find((one) => one.cell === cell && one.isPlacebo)
  const before = lookAt(db, run.runId, 0)
  const after = lookAt(db, run.runId, step ?? 0)
  if (!before || !after) return null
  return { before, after, placebo: placebo ? lookAt(db, placebo.run.runId, step ?? 0) : null }
}

function lookAt(db: ReadableDb, runId: RunId, step: number): PolicyFigures | null {
  const looks = thinnedLooks(db, runId, step, mostLooks).map((look) => lookViewSchema.parse(look))
  const look = looks.find((one) => one.step === step)
  return look ? { hallucination: look.hallucinationRate, recall: look.coverage, words: look.meanWords } : null
}

function rowOf({ label, members }: Setting, figures: ReadonlyMap<RunId, RunFigures>): SweepRow {
  const own = members.filter(({ isPlacebo }) => !isPlacebo)
  const counted = own.flatMap(({ run }) => figures.get(run.runId) ?? [])
  const beyond = counted.flatMap(({ after, placebo }) => (placebo ? [after.hallucination - placebo.hallucination] : []))
  const beyondMean = meanWithInterval(beyond)
  return {
    ...{ label, runs: own.length, seeds: counted.length },
    figures:
      counted.length === 0
        ? null
        : {
            hallucination: figureOf(counted, 'hallucination'),
            recall: figureOf(counted, 'recall'),
            words: figureOf(counted, 'words'),
          },
    // Both began with the same model, so what is left of their changes is after less after.
    beyond: beyondMean && { ...beyondMean, seeds: beyond.length },
  }
}

function figureOf(counted: readonly RunFigures[], name: keyof PolicyFigures): SweepFigure {
  const mean = (values: readonly number[]) => meanWithInterval(values)?.mean ?? 0
  return {
    before: mean(counted.map(({ before }) => before[name])),
    after: mean(counted.map(({ after }) => after[name])),
    change: meanWithInterval(counted.map(({ before, after }) => after[name] - before[name])) ?? {
      ...{ mean: 0, low: null, high: null },
    },
  }
}
