// What an import left out and why: kinds that it did not look into, and pictures with a problem one by one.
import { Pagination, Table, Text } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import type { ImportView } from '../../../../shared/contract.ts'
import { formatCount, shortenPath } from '../../format.ts'
import { useImportIssues } from '../../queries/images.ts'
import { Dialog } from '../../ui/Dialog.tsx'

const issuesPerPage = 50

export function SkippedFiles({
  view,
  onClose,
}: {
  readonly view: ImportView
  readonly onClose: () => void
}): ReactNode {
  const [page, setPage] = useState(1)
  const { importId, folder, skipped, leftOut } = view
  const issues = useImportIssues(importId, (page - 1) * issuesPerPage, issuesPerPage)
  const pages = Math.ceil(skipped / issuesPerPage)
  return (
    <Dialog onClose={onClose} size="xl" title="Files that were left out">
      <Text size="sm" className="quiet" mb="sm">
        Of {shortenPath(folder, 70)}. Nothing was changed in the folder.
      </Text>
      {leftOut.length > 0 && <Kinds view={view} />}
      {skipped > 0 && (
        <Table aria-label="Skipped files" verticalSpacing={6}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>File</Table.Th>
              <Table.Th>Reason</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {issues.map(({ path, message }) => (
              <Table.Tr key={path}>
                <Table.Td className="path" title={path}>
                  {within(folder, path)}
                </Table.Td>
                <Table.Td>{message}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {pages > 1 && <Pagination mt="md" size="sm" total={pages} value={page} onChange={setPage} />}
    </Dialog>
  )
}

/** What was not looked into, a kind at a time. */
function Kinds({ view: { folder, leftOut } }: { readonly view: ImportView }): ReactNode {
  return (
    <Table aria-label="Kinds of files that were not looked into" verticalSpacing={6} mb="md">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Kind</Table.Th>
          <Table.Th className="number">Files</Table.Th>
          <Table.Th>Reason</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {leftOut.map(({ kind, files, message, example }) => (
          <Table.Tr key={kind}>
            <Table.Td>{kind}</Table.Td>
            <Table.Td className="number">{formatCount(files)}</Table.Td>
            <Table.Td>
              {message}
              <div className="path quiet" title={example}>
                For one: {within(folder, example)}
              </div>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  )
}

/** A path as it is called within the folder. */
function within(folder: string, path: string): string {
  return path.startsWith(folder) && path !== folder ? path.slice(folder.length + 1) : path
}
