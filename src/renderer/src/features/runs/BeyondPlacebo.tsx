// What a run did beyond its placebo, which is the same run with a verifier that cannot know the image; and, for the page of
// a placebo, what it is for. Both are looked at by what knows, at the same step.
import { Alert, Anchor, Button, Table, Text, Title } from '@mantine/core'
import { IconInfoCircle } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { RunId } from '../../../../shared/domain.ts'
import type { CounterpartView, LookView, RunDetail, RunView } from '../../../../shared/runView.ts'
import { request, useAppState } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { formatFigure, formatShare } from '../../format.ts'
import shared from '../../ui/shared.module.css'

interface BeyondPlaceboProps {
  readonly run: RunView
  readonly detail: RunDetail
  readonly onShow: (runId: RunId) => void
}

export function BeyondPlacebo({ run, detail, onShow }: BeyondPlaceboProps): ReactNode {
  const { counterpart, looks, bestStep } = detail
  const before = looks.find(({ step }) => step === 0)
  if (run.isPlacebo || run.state !== 'complete' || !before || bestStep === null || bestStep === 0) return null
  const [best, placebo] = [looks, counterpart?.looks ?? []].map((all) => all.find(({ step }) => step === bestStep))
  return (
    <section aria-labelledby="beyond-title">
      <Title order={3} size="h5" id="beyond-title">
        Beyond the placebo
      </Title>
      {!counterpart && <NoPlacebo run={run} onShow={onShow} />}
      {counterpart && !placebo && (
        <Text size="sm" className="quiet">
          Its placebo has not come to step {bestStep} yet.{' '}
          <OtherRun name="Show it" runId={counterpart.run.runId} onShow={onShow} />
        </Text>
      )}
      {counterpart && best && placebo && (
        <>
          <Text size="sm" className="quiet">
            {verdictWords(before, best, placebo)} Step {bestStep} of both, on the same validation images.
          </Text>
          <Table className={shared.looks} verticalSpacing={5} aria-labelledby="beyond-title">
            <Table.Thead>
              <Table.Tr>
                <Table.Th aria-label="Figure" />
                <Table.Th className="number">As it came</Table.Th>
                <Table.Th className="number">This run</Table.Th>
                <Table.Th className="number">
                  <OtherRun name="Placebo" runId={counterpart.run.runId} onShow={onShow} />
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {figures.map(([title, of]) => (
                <Table.Tr key={title}>
                  <Table.Td>{title}</Table.Td>
                  <Table.Td className="number">{of(before)}</Table.Td>
                  <Table.Td className="number">{of(best)}</Table.Td>
                  <Table.Td className="number">{of(placebo)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </>
      )}
    </section>
  )
}

const figures = [
  ['Hallucinated words (95 % interval)', rateWords],
  ['Right objects a response', ({ coverage }: LookView) => formatFigure(coverage, 2)],
  ['Words a response', ({ meanWords }: LookView) => formatFigure(meanWords, 1)],
] as const

/** Of the right objects; below it nothing is said of a loss. */
const smallLoss = 0.02

function changeWords(fall: number): string {
  return `${fall < 0 ? 'rose' : 'fell'} by ${formatShare(Math.abs(fall))}`
}

function rateWords({ hallucinationRate, hallucinationRateLow: low, hallucinationRateHigh: high }: LookView): string {
  const rate = formatShare(hallucinationRate)
  return low === undefined || high === undefined ? rate : `${rate} (${formatShare(low)} to ${formatShare(high)})`
}

/** The falls of the estimated hallucination rate, and what the placebo paid for its own. */
function verdictWords(before: LookView, best: LookView, placebo: LookView): string {
  const fallOf = (look: LookView) => 1 - look.hallucinationRate / before.hallucinationRate
  const [run, control] = [fallOf(best), fallOf(placebo)]
  if (!Number.isFinite(run) || !Number.isFinite(control)) return 'There was nothing to lower.'
  const told = `Hallucinated words ${changeWords(run)}, those of the placebo ${changeWords(control)}.`
  const lost = 1 - placebo.coverage / before.coverage
  if (control >= run) return `${told} Nothing of it was learned from the pictures, as far as can be told.`
  if (lost < smallLoss) return told
  return `${told} The placebo paid with ${formatShare(lost)} of its right objects: it says less, it does not see better.`
}

/** What the page of a placebo says first. */
export function PlaceboNote({
  counterpart,
  onShow,
}: Pick<BeyondPlaceboProps, 'onShow'> & { readonly counterpart: CounterpartView | null }): ReactNode {
  return (
    <Alert color="gray" variant="light" icon={<IconInfoCircle size={18} />} title="This is a placebo">
      Each image was judged by another one, so whatever changed here was not learned from the pictures. Only what its
      run does beyond this counts.{' '}
      {counterpart && <OtherRun name="Show the run" runId={counterpart.run.runId} onShow={onShow} />}
    </Alert>
  )
}

function NoPlacebo({ run: { runId }, onShow }: Pick<BeyondPlaceboProps, 'run' | 'onShow'>): ReactNode {
  const { workspace } = useAppState()
  return (
    <>
      <Text size="sm" className="quiet" mb="xs">
        Not known yet. Saying less lowers hallucinations too; a placebo, the same run with each image judged by another
        one, shows how much of the fall was learned from the pictures.
      </Text>
      {workspace?.readOnlyBecause === null && (
        <Button
          size="xs"
          variant="default"
          onClick={() => attempt(async () => onShow((await request('runs.createPlacebo', { runId })).runId))}
        >
          Run its placebo
        </Button>
      )}
    </>
  )
}

function OtherRun({
  name,
  runId,
  onShow,
}: Pick<BeyondPlaceboProps, 'onShow'> & { readonly name: string; readonly runId: RunId }): ReactNode {
  return (
    <Anchor component="button" type="button" inherit onClick={() => onShow(runId)}>
      {name}
    </Anchor>
  )
}
