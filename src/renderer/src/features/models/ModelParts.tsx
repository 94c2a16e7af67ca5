// The parts of a folder in the order in which an image and a question walk through them: as a bar in proportion to their
// parameters, and as a table.
import { Table } from '@mantine/core'
import type { ReactNode } from 'react'
import type { ModelFolder, ModelPart } from '../../../../shared/modelDetails.ts'
import { formatBytes, formatParameters, formatShare } from '../../format.ts'
import css from './ModelParts.module.css'

interface ModelPartsProps {
  readonly label: string
  readonly folder: ModelFolder
}

export function ModelParts({ label, folder: { parts, parameters } }: ModelPartsProps): ReactNode {
  const share = (part: ModelPart): number => (parameters === 0 ? 0 : part.parameters / parameters)
  const said = parts.map((part) => `${part.title} ${formatShare(share(part))}`).join(', ')
  return (
    <div className={css.parts}>
      <div className={css.bar} role="img" aria-label={`${label}: ${said}`}>
        {parts
          .filter((part) => part.parameters > 0)
          .map((part) => (
            <div
              key={part.part}
              className={css.segment}
              data-part={part.part}
              style={{ flexGrow: share(part) }}
              title={`${part.title}, ${formatShare(share(part))}`}
            />
          ))}
      </div>
      <div className={css.scroller}>
        <Table verticalSpacing={5} className={css.table} aria-label={`Parts of ${label}`}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Part</Table.Th>
              <Table.Th className="number">Parameters</Table.Th>
              <Table.Th className="number">Share</Table.Th>
              <Table.Th>Shape</Table.Th>
              <Table.Th>Stored as</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {parts.map((part) => (
              <Table.Tr key={part.part}>
                <Table.Td>
                  <span className={css.swatch} data-part={part.part} aria-hidden="true" />
                  {part.title}
                </Table.Td>
                <Table.Td className="number">{formatParameters(part.parameters)}</Table.Td>
                <Table.Td className="number">{formatShare(share(part))}</Table.Td>
                <Table.Td>{shapeOf(part)}</Table.Td>
                <Table.Td>
                  {part.stored.map(({ dtype, bytes }) => `${dtype}, ${formatBytes(bytes)}`).join('; ') || '–'}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </div>
  )
}

/** E.g. `24 layers of 1024, 16 heads`. */
function shapeOf({ layers, width, heads }: ModelPart): string {
  const words = [
    layers === null ? null : `${layers} ${layers === 1 ? 'layer' : 'layers'}`,
    width === null ? null : `${layers === null ? 'to' : 'of'} ${width}`,
  ]
  const shape = words.filter(Boolean).join(' ')
  return [shape, heads === null ? '' : `${heads} ${heads === 1 ? 'head' : 'heads'}`].filter(Boolean).join(', ') || '–'
}
