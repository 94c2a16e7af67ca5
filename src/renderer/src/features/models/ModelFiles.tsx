// The files of a model's folders, which of them a run is held to, and what they say of their licence.
import { Table, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import type { ModelFile, ModelFolder } from '../../../../shared/modelDetails.ts'
import { formatBytes, formatMoment, formatPlural } from '../../format.ts'
import shared from '../../ui/shared.module.css'
import css from './ModelFiles.module.css'

const kindWords: Readonly<Record<ModelFile['kind'], string>> = {
  weights: 'Weights, checked',
  settings: 'Settings, checked',
  other: 'Not read',
}

interface FilesProps {
  readonly model: ModelFolder
  readonly encoder: ModelFolder | null
  readonly weightsSha256: string
}

export function Files({ model, encoder, weightsSha256 }: FilesProps): ReactNode {
  const checked = [model, ...(encoder ? [encoder] : [])]
    .flatMap(({ files }) => files)
    .filter(({ kind }) => kind !== 'other')
  return (
    <section aria-labelledby="files-title">
      <Title order={3} size="h5" id="files-title" mb={2}>
        Files
      </Title>
      <Text size="sm" className="quiet" mb={4}>
        {formatPlural(checked.length, 'file')} checked; a run is held to them.
      </Text>
      <details className={shared.fold}>
        <summary>Show the files</summary>
        <FileTable label="Files of the model" folder={model} />
        {encoder && <FileTable label="Files of the encoder" folder={encoder} />}
        <p className={css.hash}>
          SHA-256 of the weights: <span>{weightsSha256}</span>
        </p>
      </details>
    </section>
  )
}

function FileTable({
  label,
  folder: { files, fileCount },
}: {
  readonly label: string
  readonly folder: ModelFolder
}): ReactNode {
  return (
    <div className={css.scroller}>
      <Table verticalSpacing={4} className={css.table} aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{label}</Table.Th>
            <Table.Th className="number">Size</Table.Th>
            <Table.Th>Changed</Table.Th>
            <Table.Th>What it is</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {files.map(({ name, sizeBytes, modifiedAtMs, kind }) => (
            <Table.Tr key={name}>
              <Table.Td className={css.name}>
                <bdi>{name}</bdi>
              </Table.Td>
              <Table.Td className="number">{formatBytes(sizeBytes)}</Table.Td>
              <Table.Td>{formatMoment(modifiedAtMs)}</Table.Td>
              <Table.Td>{kindWords[kind]}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {fileCount > files.length && (
        <Text size="sm" className="quiet">
          and {formatPlural(fileCount - files.length, 'more file', 'more files')}
        </Text>
      )}
    </div>
  )
}

export function Licence({ licence }: { readonly licence: ModelFolder['licence'] }): ReactNode {
  return (
    <section aria-labelledby="licence-title">
      <Title order={3} size="h5" id="licence-title" mb={2}>
        Licence
      </Title>
      <Text size="sm" className={licence?.name ? css.licenceName : 'quiet'}>
        {licence === null
          ? 'Its folder names no licence. Ask where it came from before you pass on what you make with it.'
          : (licence.name ?? 'Its card names none; its text is in the folder.')}
      </Text>
      {licence?.text && (
        <details className={shared.fold}>
          <summary>Show {licence.file}</summary>
          <pre className={css.text}>
            {licence.text}
            {licence.isCut && '\n… The file goes on.'}
          </pre>
        </details>
      )}
    </section>
  )
}
