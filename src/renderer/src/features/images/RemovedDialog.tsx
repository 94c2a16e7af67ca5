// What was removed and not brought back: the way back also after the notice of it is gone.
import { Button, Table, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { formatCount, formatMoment } from '../../format.ts'
import { useRemovals } from '../../queries/images.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { restoreImages } from './imageActions.tsx'

export function RemovedDialog({
  isReading,
  onClose,
}: {
  readonly isReading: boolean
  readonly onClose: () => void
}): ReactNode {
  const removals = useRemovals()
  return (
    <Dialog onClose={onClose} size="lg" title="Removed images">
      {removals?.length === 0 && (
        <Text size="sm">Nothing was removed. Images that you remove can be brought back here, as they were.</Text>
      )}
      {removals && removals.length > 0 && (
        <Table aria-label="Removed images" verticalSpacing={6}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Removed</Table.Th>
              <Table.Th className="number">Images</Table.Th>
              <Table.Th aria-label="Bring back" />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {removals.map(({ removalId, removedAtMs, images }) => (
              <Table.Tr key={removalId}>
                <Table.Td>{formatMoment(removedAtMs)}</Table.Td>
                <Table.Td className="number">{formatCount(images)}</Table.Td>
                <Table.Td>
                  <Button size="xs" variant="default" disabled={isReading} onClick={() => restoreImages(removalId)}>
                    Bring back
                  </Button>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Dialog>
  )
}
