// The cells of a sweep that other machines carry out: how many are here, which are not at their end, failed or refused, and what
// lies there that is none of them. The folder is looked at as long as some are missing.
import { Button, Loader, Table, Text } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck, IconClock, IconCopy, IconFolder, IconRefresh } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { Collection, SweepCellView, SweepDetail } from '../../../../shared/sweepView.ts'
import { request, useAppState } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { formatPlural, shortenPath } from '../../format.ts'
import { ErrorAlert } from '../../ui/ErrorAlert.tsx'
import { StateMark, type Tone } from '../../ui/ItemList.tsx'
import shared from '../../ui/shared.module.css'
import css from './Sweep.module.css'

const marks: Readonly<Record<SweepCellView['state'], { icon: typeof IconClock; tone: Tone; word: string }>> = {
  complete: { icon: IconCircleCheck, tone: 'good', word: 'Here' },
  missing: { icon: IconClock, tone: 'waits', word: 'Not at its end' },
  failed: { icon: IconAlertTriangle, tone: 'bad', word: 'Failed' },
  refused: { icon: IconAlertTriangle, tone: 'bad', word: 'Refused' },
}
/** What a person has to do something about comes first. */
const order: readonly SweepCellView['state'][] = ['failed', 'refused', 'missing', 'complete']
const mostRows = 200

export function SweepCells({ detail }: { readonly detail: SweepDetail }): ReactNode {
  const { sweep, collection, error, isCollecting } = detail
  return (
    <section className={css.cells} aria-label="Cells">
      {error && <ErrorAlert error={error} />}
      <Text size="sm" role="status" aria-label="Cells of the sweep">
        {isCollecting ? (
          <>
            <Loader size={12} aria-hidden="true" mr={8} />
            Looking through the results…
          </>
        ) : collection ? (
          cellWords(collection, sweep.folder !== null)
        ) : (
          'Its folder will be looked at.'
        )}
      </Text>
      {sweep.folder !== null && (
        <Text size="xs" className="quiet" title={sweep.folder}>
          {shortenPath(sweep.folder, 80)}
        </Text>
      )}
      {sweep.folder !== null && collection?.cells.every(({ state }) => state === 'missing') && (
        <NextStep folder={sweep.folder} />
      )}
      <FolderActions detail={detail} />
      {collection && <CellTable collection={collection} />}
    </section>
  )
}

/** What a person does with a sweep that was just written. */
function NextStep({ folder }: { readonly folder: string }): ReactNode {
  const [isCopied, setCopied] = useState(false)
  const command = `cd '${folder.replaceAll("'", "'\\''")}' && ./submit.sh`
  return (
    <div className={css.next}>
      <Text size="sm" fw={600}>
        Start it on a machine that sends jobs to Slurm:
      </Text>
      <div className={css.command}>
        <code>{command}</code>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconCopy size={15} />}
          onClick={() =>
            attempt(async () => {
              await request('app.copyText', { text: command })
              setCopied(true)
            })
          }
        >
          {isCopied ? 'Copied' : 'Copy'}
        </Button>
      </div>
      <Text size="sm" className="quiet">
        Without Slurm, start ./workers.sh 1 there on each machine. All machines need fisao-studio-run, and see this
        folder, the models and the images under the same paths.
      </Text>
    </div>
  )
}

function FolderActions({ detail: { sweep, isCollecting } }: { readonly detail: SweepDetail }): ReactNode {
  const isReading = useAppState().workspace?.readOnlyBecause !== null
  const { sweepId, folder } = sweep
  if (folder === null) return null
  return (
    <div className={css.actions}>
      {!isReading && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconRefresh size={15} />}
          disabled={isCollecting}
          onClick={() => attempt(() => request('sweeps.look', { sweepId }))}
        >
          Look now
        </Button>
      )}
      <Button
        size="xs"
        variant="default"
        leftSection={<IconFolder size={15} />}
        onClick={() => attempt(() => request('sweeps.showFolder', { sweepId }))}
      >
        Show folder
      </Button>
      {!isReading && (
        <Button
          size="xs"
          variant="subtle"
          color="gray"
          onClick={() => attempt(() => request('sweeps.forget', { sweepId }))}
        >
          Stop looking there
        </Button>
      )}
    </div>
  )
}

function cellWords({ cells }: Collection, isWatched: boolean): string {
  const count = (state: SweepCellView['state']) => cells.filter((one) => one.state === state).length
  const [here, missing, failed, refused] = [count('complete'), count('missing'), count('failed'), count('refused')]
  if (here === cells.length) return `All ${formatPlural(here, 'cell')} are here.`
  const rest = [
    ...(missing > 0 ? [`${missing} not at their end`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(refused > 0 ? [`${refused} refused`] : []),
  ]
  const watched = isWatched ? ' New results come in by themselves while the workspace is open.' : ''
  return `${here} of ${formatPlural(cells.length, 'cell')} are here; ${rest.join(', ')}.${watched}`
}

function CellTable({ collection: { cells, foreign } }: { readonly collection: Collection }): ReactNode {
  const sorted = cells.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || a.cell - b.cell)
  const hasFailed = cells.some(({ state }) => state === 'failed' || state === 'refused')
  return (
    <details className={shared.fold} open={hasFailed || foreign.length > 0}>
      <summary>Cell by cell</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys */}
      <section className={shared.tableFrame} tabIndex={0} aria-label="Cells, table">
        <Table className={shared.looks} verticalSpacing={5} aria-label="Cell by cell">
          <Table.Thead>
            <Table.Tr>
              <Table.Th className={css.number}>Cell</Table.Th>
              <Table.Th>Run</Table.Th>
              <Table.Th>State</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {sorted.slice(0, mostRows).map((cell) => (
              <CellRow key={cell.cell} cell={cell} />
            ))}
          </Table.Tbody>
        </Table>
      </section>
      {sorted.length > mostRows && <p className="quiet">The first {mostRows} are listed.</p>}
      {foreign.length > 0 && <p className={css.foreign}>Not of this sweep, and left alone: {foreign.join(', ')}.</p>}
    </details>
  )
}

function CellRow({ cell: { cell, name, state, error, log } }: { readonly cell: SweepCellView }): ReactNode {
  const { icon, tone, word } = marks[state]
  return (
    <Table.Tr>
      <Table.Td className={css.number}>{cell}</Table.Td>
      <Table.Td>
        {name}
        {error && (
          <div className={css.why}>
            {error.message} {error.remedy}
            {error.expected !== undefined && error.found !== undefined && (
              <>
                {' '}
                Needed: {error.expected}. Found: {error.found}.
              </>
            )}
          </div>
        )}
        {log.length > 0 && <pre className={css.log}>{log.join('\n')}</pre>}
      </Table.Td>
      <Table.Td className={css.state}>
        <StateMark icon={icon} tone={tone}>
          {word}
        </StateMark>
      </Table.Td>
    </Table.Tr>
  )
}
