// What is measured: one of the measures, and the files and images that it needs.
import { NumberInput, Radio, Select, Stack } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Params } from '../../../../shared/contract.ts'
import { request } from '../../api.ts'
import { PathField } from '../../ui/PathField.tsx'
import { chosenOption, type ImageOption } from './imageChoice.ts'
import css from './MeasureFields.module.css'
import { type MeasureDraft, measureInfos } from './measures.ts'

interface MeasureFieldsProps {
  readonly draft: MeasureDraft
  readonly onChange: (draft: MeasureDraft) => void
  /** Images of the workspace to choose from. */
  readonly images: readonly ImageOption[]
}

export function MeasureFields({ draft, onChange, images }: MeasureFieldsProps): ReactNode {
  return (
    <Stack gap="md">
      <Radio.Group
        label="What is measured"
        value={draft.kind}
        onChange={(kind) => onChange({ ...draft, kind: kind as MeasureDraft['kind'] })}
      >
        <Stack gap={10} mt={6}>
          {measureInfos.map(({ kind, title, explains }) => (
            <Radio key={kind} value={kind} label={title} description={explains} />
          ))}
        </Stack>
      </Radio.Group>
      <MeasuredImages draft={draft} onChange={onChange} images={images} />
    </Stack>
  )
}

/** The files and images that the chosen measure needs, and how many of them. */
export function MeasuredImages({ draft, onChange, images }: MeasureFieldsProps): ReactNode {
  const set = (part: Partial<MeasureDraft>): void => onChange({ ...draft, ...part })
  return (
    <Stack gap="md">
      <Files draft={draft} set={set} choices={images} />
      <NumberInput
        className={css.most}
        label="Images"
        description="The first so many; all when left empty."
        placeholder="All"
        min={1}
        max={10_000_000}
        allowDecimal={false}
        value={draft.most ?? ''}
        onChange={(value) => set({ most: typeof value === 'number' ? value : null })}
      />
    </Stack>
  )
}

interface FilesProps {
  readonly draft: MeasureDraft
  readonly set: (part: Partial<MeasureDraft>) => void
  readonly choices: readonly ImageOption[]
}

function Files({ draft, set, choices }: FilesProps): ReactNode {
  const annotations = (
    <FileField
      label="Annotations"
      description="An instances file of COCO (.json)."
      what="annotations"
      value={draft.annotationFile}
      onChange={(annotationFile) => set({ annotationFile })}
    />
  )
  const images = (
    <FileField
      label="Folder of the images"
      description="The names in the file begin from it."
      what="image-folder"
      value={draft.imageFolder}
      onChange={(imageFolder) => set({ imageFolder })}
    />
  )
  switch (draft.kind) {
    case 'annotation-free':
      return choices.length === 1 ? null : (
        <Select
          label="Which images"
          data={choices.map(({ value, label }) => ({ value, label }))}
          value={chosenOption(choices, draft.images)}
          allowDeselect={false}
          onChange={(value) => {
            const chosen = choices.find((option) => option.value === value)
            if (chosen) set({ images: chosen.choice })
          }}
        />
      )
    case 'chair':
      return (
        <>
          {annotations}
          {images}
        </>
      )
    case 'pope':
      return (
        <>
          <Select
            label="Questions"
            data={[
              { value: 'file', label: 'From a file of the benchmark' },
              { value: 'random', label: 'Made of annotations: any other object (random)' },
              { value: 'popular', label: 'Made of annotations: frequent objects (popular)' },
              { value: 'adversarial', label: 'Made of annotations: objects that go together (adversarial)' },
            ]}
            value={draft.questionsFrom}
            allowDeselect={false}
            onChange={(from) => from !== null && set({ questionsFrom: from as MeasureDraft['questionsFrom'] })}
          />
          {draft.questionsFrom === 'file' ? (
            <FileField
              label="File of questions"
              description="As POPE ships it (.json or .jsonl)."
              what="questions"
              value={draft.questionFile}
              onChange={(questionFile) => set({ questionFile })}
            />
          ) : (
            annotations
          )}
          {images}
        </>
      )
    case 'mme':
      return (
        <FileField
          label="Folder of MME"
          description="As it ships: a folder for each subtask, images within."
          what="mme-folder"
          value={draft.mmeFolder}
          onChange={(mmeFolder) => set({ mmeFolder })}
        />
      )
    case 'amber':
      return (
        <>
          <FileField
            label="Folder “data” of AMBER"
            description="With its annotations, relations and safe words."
            what="amber-folder"
            value={draft.amberFolder}
            onChange={(amberFolder) => set({ amberFolder })}
          />
          <FileField
            label="File of queries"
            description="One of its files query_….json."
            what="queries"
            value={draft.queryFile}
            onChange={(queryFile) => set({ queryFile })}
          />
          {images}
        </>
      )
  }
}

interface FileFieldProps {
  readonly label: string
  readonly description: string
  readonly what: Params<'evaluations.pick'>['what']
  readonly value: string
  readonly onChange: (path: string) => void
}

function FileField({ what, label, ...field }: FileFieldProps): ReactNode {
  const pick = async (): Promise<string | null> => (await request('evaluations.pick', { what }))?.path ?? null
  return <PathField {...field} label={label} chooseLabel={`Choose: ${label}`} pick={pick} />
}
