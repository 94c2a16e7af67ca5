// What was removed and not brought back: the way back also after the notice of it is gone, and the way to delete it for good.
import { Button, Group, Table, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { formatCount, formatMoment } from '../../format.ts'
import { useRemovals } from '../../queries/images.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { askToDelete, restoreImages } from './imageActions.tsx'

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
              <Table.Th aria-label="What to do" />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {removals.map(({ removalId, removedAtMs, images }) => (
              <Table.Tr key={removalId}>
                <Table.Td>{formatMoment(removedAtMs)}</Table.Td>
                <Table.Td className="number">{formatCount(images)}</Table.Td>
                <Table.Td>
                  <Group gap="xs" justify="flex-end">
                    <Button size="xs" variant="default" disabled={isReading} onClick={() => restoreImages(removalId)}>
                      Bring back
                    </Button>
                    <Button
                      size="xs"
                      variant="subtle"
                      color="red"
                      disabled={isReading}
                      onClick={() => askToDelete(removalId)}
                    >
                      Delete for good…
                    </Button>
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Dialog>
  )
}
