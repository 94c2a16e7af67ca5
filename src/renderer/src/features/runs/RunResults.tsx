// What a run found: before against best, the verifier's quality, all looks, and the settings it was made with.
import { Paper, Table, Text, Title } from '@mantine/core'
import { IconAlertTriangle, IconCheck, IconStarFilled } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { aurocOf, type Interval, refusalText } from '../../../../shared/calibration.ts'
import { changeInterval, outcomeSentence } from '../../../../shared/look.ts'
import { completeSentence } from '../../../../shared/runEnding.ts'
import type { CalibrationView, LookView, RunDetail, RunView } from '../../../../shared/runView.ts'
import {
  choiceLabel,
  runSections,
  type SettingField,
  sectionGroups,
  settingFields,
} from '../../../../shared/settingFields.ts'
import { formatCount, formatFigure, formatShare } from '../../format.ts'
import shared from '../../ui/shared.module.css'
import css from './RunResults.module.css'

const share = formatShare
const two = (value: number): string => formatFigure(value, 2)
const span = (interval: Interval | null | undefined): string =>
  interval ? ` (${two(interval.low)} to ${two(interval.high)})` : ''

/** The model as it came against the best look so far; both are the verifier's estimates. */
export function RunResult({ run, detail }: { readonly run: RunView; readonly detail: RunDetail }): ReactNode {
  const before = detail.looks.find(({ step }) => step === 0)
  const best = detail.looks.find(({ step }) => step === detail.bestStep)
  if (!before || !best) return null
  const isEnded = run.state === 'complete'
  const figures = [
    ['Hallucinated words', before.hallucinationRate, best.hallucinationRate, share, rateSpan(best)],
    ['Right objects a response', before.coverage, best.coverage, two, null],
    ['Words a response', before.meanWords, best.meanWords, (value: number) => formatFigure(value, 1), null],
  ] as const
  return (
    <section aria-labelledby="result-title">
      <Title order={3} size="h5" id="result-title">
        {isEnded ? 'Result' : 'Best so far'}
      </Title>
      <Text size="sm" className="quiet">
        {isEnded && `${completeSentence(run, detail.looks)} `}
        {outcomeSentence(detail.looks, best.step, isEnded)}
      </Text>
      <dl className={css.figures}>
        {figures.map(([title, first, last, format, interval]) => (
          <div key={title} className={css.figure}>
            <dt>{title}</dt>
            <dd>
              {best.step > 0 && (
                <>
                  <span className={css.figureBefore}>{format(first)}</span>
                  <span className={css.figureArrow} role="img" aria-label="became">
                    →
                  </span>
                </>
              )}
              <strong>{format(last)}</strong>
            </dd>
            {interval && <dd className={css.figureWords}>{interval}</dd>}
          </div>
        ))}
        <Change look={best} />
      </dl>
    </section>
  )
}

/** How far the share of hallucinated words moved, image by image, and whether that is more than chance. */
function Change({ look: { change, step } }: { readonly look: LookView }): ReactNode {
  if (!change || step === 0) return null
  const { low, high } = changeInterval(change)
  const points = (value: number): string =>
    (100 * value).toLocaleString(undefined, {
      ...{ minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: 'exceptZero' },
    } as const)
  return (
    <div className={css.figure}>
      <dt>Change on the same images</dt>
      <dd>
        <strong>{points(change.difference)}</strong> points
      </dd>
      <dd className={css.figureWords}>
        {`${points(low)} to ${points(high)} (95 % interval)${low <= 0 && high >= 0 ? ': no clear change' : ''}`}
      </dd>
    </div>
  )
}

/** The interval of an estimated rate in words; null for looks of earlier versions. */
function rateSpan({ hallucinationRateLow: low, hallucinationRateHigh: high }: LookView): string | null {
  return low === undefined || high === undefined ? null : `${share(low)} to ${share(high)} (95 % interval)`
}

interface VerifierCardProps {
  readonly calibration: CalibrationView | null
  /** Sentences beside its figures. */
  readonly notes: readonly string[]
}

/** How well the verifier tells right words from wrong ones, in words and figures. */
export function VerifierCard({ calibration, notes }: VerifierCardProps): ReactNode {
  if (!calibration) return null
  const { overlap, imageAuroc, baselines, scores, method, refusals, estimate } = calibration
  const { auroc, interval, separation } = aurocOf(calibration)
  const isTrusted = refusals.length === 0
  const facts = [
    [
      'Tells right from wrong',
      auroc === null ? '–' : two(auroc) + span(interval),
      `Chance that a right word scores above a wrong one (AUROC${interval ? ', 95 % interval' : ''}); 1 is perfect, 0.5 is blind.`,
    ],
    [
      'Looks at the image',
      imageAuroc === null ? '–' : two(imageAuroc) + span(estimate?.ownOverOther),
      'Chance that a word scores higher on its own image than on another; 0.5 is blind.',
    ],
    ...(estimate?.rawAuroc == null
      ? []
      : [
          [
            'As rewards read it',
            two(estimate.rawAuroc),
            'The first figure with the levels that words have on any image, which the rewards do not take away.',
          ] as const,
        ]),
    [
      'Two groups',
      separation === null ? '–' : `${two(separation)}${overlap === null ? '' : `, ${share(overlap)} shared`}`,
      'How far the two groups of scores stand apart, and what they share. It says nothing of whether they are right and wrong words.',
    ],
    [
      'Baselines',
      baselines ? `${two(baselines.muGt)} / ${two(baselines.muHal)}` : '–',
      'Mean score of right words, and of wrong ones.',
    ],
  ] as const
  return (
    <Paper component="section" withBorder p="md" aria-labelledby="verifier-title">
      <Title order={3} size="h5" id="verifier-title">
        Can the verifier tell?
      </Title>
      <p className={`${shared.finding} ${css.verifierFinding}`} data-state={isTrusted ? 'right' : 'wrong'}>
        {isTrusted ? <IconCheck size={16} aria-hidden="true" /> : <IconAlertTriangle size={16} aria-hidden="true" />}
        {isTrusted
          ? `Yes. ${method === 'annotated' ? 'Measured on annotations' : 'Estimated without annotations'} from ${formatCount(scores)} scores of the model’s own words.`
          : 'Not reliably. A person chose to go on, so take the estimates on this page with care:'}
      </p>
      {!isTrusted && (
        <ul className={css.refusals}>
          {refusals.map((refusal) => (
            <li key={refusal.reason}>{refusalText(refusal)}</li>
          ))}
        </ul>
      )}
      {notes.length > 0 && (
        <ul className={css.refusals}>
          {notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      <dl className={css.figures}>
        {facts.map(([title, value, words]) => (
          <div key={title} className={`${css.figure} ${css.figureSmall}`}>
            <dt>{title}</dt>
            <dd>
              <strong>{value}</strong>
            </dd>
            <dd className={css.figureWords}>{words}</dd>
          </div>
        ))}
      </dl>
    </Paper>
  )
}

interface LooksTableProps {
  readonly looks: readonly LookView[]
  readonly bestStep: number | null
}

export function LooksTable({ looks, bestStep }: LooksTableProps): ReactNode {
  if (looks.length === 0) return null
  return (
    <section aria-labelledby="looks-title">
      <Title order={3} size="h5" id="looks-title" mb={4}>
        Looks at the validation images
      </Title>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys */}
      <section className={shared.tableFrame} tabIndex={0} aria-label="Looks, table">
        <Table className={shared.looks} verticalSpacing={5} aria-labelledby="looks-title">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Step</Table.Th>
              <Table.Th className="number">Hallucinated words</Table.Th>
              <Table.Th className="number">Right objects</Table.Th>
              <Table.Th className="number">Words</Table.Th>
              <Table.Th className="number">Repeated objects</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {looks.map((look) => (
              <Table.Tr key={look.step} {...(look.step === bestStep && { className: css.lookBest })}>
                <Table.Td>
                  {look.step === 0 ? '0, as it came' : look.step}
                  {look.step === bestStep && (
                    <span className={css.bestMark}>
                      <IconStarFilled size={11} aria-hidden="true" />
                      best
                    </span>
                  )}
                </Table.Td>
                <Table.Td className="number">{share(look.hallucinationRate)}</Table.Td>
                <Table.Td className="number">{two(look.coverage)}</Table.Td>
                <Table.Td className="number">{formatFigure(look.meanWords, 1)}</Table.Td>
                <Table.Td className="number">{two(look.meanRepeatedMentions)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
    </section>
  )
}

/** All settings of the run, folded away. */
export function RunSettings({ detail: { config } }: { readonly detail: RunDetail }): ReactNode {
  if (!config) {
    return (
      <Text size="sm" className="quiet">
        The settings of this run were written by another version and cannot be shown.
      </Text>
    )
  }
  return (
    <details className={shared.fold}>
      <summary>Settings of this run</summary>
      {runSections.map((section) => (
        <section key={section} className={shared.foldSection} aria-label={sectionGroups[section].title}>
          <h4>{sectionGroups[section].title}</h4>
          <dl className={css.settings}>
            {settingFields(section).map((field) => (
              <div key={field.name}>
                <dt>{field.title}</dt>
                <dd>
                  {chosenWords(field, (config[section] as Readonly<Record<string, unknown>>)[field.name])}
                  {field.unit && <span className="quiet"> {field.unit}</span>}
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </details>
  )
}

function chosenWords(field: SettingField, value: unknown): string {
  return field.kind === 'choice' ? choiceLabel(field, String(value)) : settingWords(value)
}

export function settingWords(value: unknown): string {
  if (value === null) return 'none'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'number') return value.toLocaleString(undefined, { maximumSignificantDigits: 6 })
  return String(value)
}
