// Files that are not where they were: which folders, and where they are now. Images keep responses, tags and runs.
import { Button, Group, Loader, Progress, Table, Text } from '@mantine/core'
import { type ReactNode, useEffect, useEffectEvent, useState } from 'react'
import type { MissingFiles, RelinkReport } from '../../../../shared/domain.ts'
import { type ErrorRecord, toErrorRecord } from '../../../../shared/errors.ts'
import { request, useStudioEvent } from '../../api.ts'
import { formatCount, formatPlural, shortenPath } from '../../format.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorAlert } from '../../ui/ErrorAlert.tsx'
import css from './MissingDialog.module.css'

type Work =
  | { readonly is: 'looking' }
  | { readonly is: 'relinking'; readonly folder: string; readonly done: number; readonly total: number }
  | null

export function MissingDialog({
  isReading,
  onClose,
}: {
  readonly isReading: boolean
  readonly onClose: () => void
}): ReactNode {
  const [found, setFound] = useState<MissingFiles | null>(null)
  const [work, setWork] = useState<Work>(null)
  const [report, setReport] = useState<RelinkReport | null>(null)
  const [error, setError] = useState<ErrorRecord | null>(null)
  useStudioEvent('images.relinkProgress', ({ done, total }) =>
    setWork((now) => (now?.is === 'relinking' ? { ...now, done, total } : now)),
  )
  const doing = async (begin: Work, act: () => Promise<void>): Promise<void> => {
    setWork(begin)
    setError(null)
    try {
      await act()
    } catch (thrown) {
      setError(toErrorRecord(thrown))
    } finally {
      setWork(null)
    }
  }
  const look = (): Promise<void> => doing({ is: 'looking' }, async () => setFound(await request('images.missing', {})))
  const relink = async (from: string): Promise<void> => {
    const place = await request('images.pickNewPlace', {}).catch((thrown: unknown) => {
      setError(toErrorRecord(thrown))
      return null
    })
    if (!place) return
    setReport(null)
    await doing({ is: 'relinking', folder: from, done: 0, total: 0 }, async () => {
      setReport(await request('images.relink', { from, to: place.folder }))
      setFound(await request('images.missing', {}))
    })
  }
  const lookAtFirst = useEffectEvent(look)
  useEffect(() => void lookAtFirst(), [])

  return (
    <Dialog onClose={onClose} size="lg" title="Missing files">
      <Text size="sm" className="quiet" mb="md">
        The workspace keeps thumbnails and responses; pictures stay in your folders. When a folder was moved or renamed,
        say where it is now: only files with the very same bytes are taken.
      </Text>
      {error && <ErrorAlert error={error} mb="md" />}
      {report && <Report report={report} />}
      {work?.is === 'relinking' ? (
        <Relinking work={work} />
      ) : work?.is === 'looking' ? (
        <Group gap="sm" role="status">
          <Loader size="sm" />
          Looking for the files…
        </Group>
      ) : (
        found && <Found found={found} isReading={isReading} onRelink={(folder) => void relink(folder)} />
      )}
      <div className={css.actions}>
        <Button variant="default" disabled={work !== null} onClick={() => void look()}>
          Look again
        </Button>
        <Button disabled={work?.is === 'relinking'} onClick={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  )
}

function Relinking({ work }: { readonly work: Extract<Work, { is: 'relinking' }> }): ReactNode {
  const { done, total, folder } = work
  return (
    <div role="status">
      <Text size="sm" title={folder}>
        Comparing files: {formatCount(done)} of {total > 0 ? formatCount(total) : '…'}
      </Text>
      <Group mt="xs" wrap="nowrap">
        <Progress className={css.progress} value={total > 0 ? (done / total) * 100 : 0} aria-label="Files compared" />
        <Button size="xs" variant="default" onClick={() => void request('images.cancelRelink', {})}>
          Cancel
        </Button>
      </Group>
    </div>
  )
}

interface FoundProps {
  readonly found: MissingFiles
  readonly isReading: boolean
  readonly onRelink: (folder: string) => void
}

function Found({ found: { images, checked, missing, folders }, isReading, onRelink }: FoundProps): ReactNode {
  const isPart = checked < images
  const looked = isPart
    ? `The disks answered slowly: ${formatCount(checked)} of ${formatPlural(images, 'file')} could be looked at in time.`
    : ''
  if (missing === 0) {
    return (
      <p role="status">
        {isPart ? 'None of those is missing. ' : `All ${formatPlural(images, 'file')} are in their places.`} {looked}
      </p>
    )
  }
  return (
    <>
      <p role="status">
        {formatPlural(missing, 'file')} cannot be found. {looked}
      </p>
      <Table aria-label="Folders with missing files" verticalSpacing={6}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Folder</Table.Th>
            <Table.Th className="number">Missing</Table.Th>
            <Table.Th aria-label="New place" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {folders.map(({ folder, images: all, missing: gone }) => (
            <Table.Tr key={folder}>
              <Table.Td className="path" title={folder}>
                {shortenPath(folder, 90)}
              </Table.Td>
              <Table.Td className="number">
                {formatCount(gone)} of {formatCount(all)}
              </Table.Td>
              <Table.Td>
                <Button size="xs" variant="default" disabled={isReading} onClick={() => onRelink(folder)}>
                  Choose its new place…
                </Button>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </>
  )
}

/** What came of a relink. */
function Report({ report: { matched, differ, missing, examples } }: { readonly report: RelinkReport }): ReactNode {
  const parts = [
    `${formatPlural(matched, 'image')} found again`,
    ...(differ > 0 ? [`${formatPlural(differ, 'file')} there with other bytes, left alone`] : []),
    ...(missing > 0 ? [`${formatCount(missing)} not there`] : []),
  ]
  return (
    <section className={css.report} aria-label="What was found">
      <p role="status">{parts.join('; ')}.</p>
      {examples.length > 0 && (
        <ul>
          {examples.map(({ path, problem }) => (
            <li key={path} className="path">
              <bdi>{path}</bdi>: {problem === 'differs' ? 'has other bytes' : 'is not there'}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
