// Images whose response names an object, with the verdict that it got there; each word with the number of its images.
import { SegmentedControl, Select } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import type { AnsweredCheckpoint, ImageQuery, ObjectWord } from '../../../../shared/domain.ts'
import { formatCount } from '../../format.ts'
import { useObjectWords } from '../../queries/images.ts'
import css from './FilterBar.module.css'

type Word = NonNullable<ImageQuery['word']>

export const verdictNames: Readonly<Record<Word['label'], string>> = {
  any: 'Any',
  hallucinated: 'Hallucinated',
  grounded: 'Grounded',
  neutral: 'Neutral',
}

/** So many are offered at once; typing finds the others. */
const mostOffered = 200

interface WordFilterProps {
  readonly checkpointId: AnsweredCheckpoint['checkpointId']
  readonly word: Word | null
  /** `isDone` once nothing is left to choose. */
  readonly onChange: (word: Word | null, isDone: boolean) => void
}

export function WordFilter({ checkpointId, word, onChange }: WordFilterProps): ReactNode {
  const words = useObjectWords(checkpointId)
  const [label, setLabel] = useState<Word['label']>(word?.label ?? 'hallucinated')
  const offered = (words ?? [])
    .map((one) => ({ word: one.word, images: imagesOf(one, label) }))
    .filter(({ images, word: text }) => images > 0 || text === word?.text)
    .sort((a, b) => b.images - a.images)
  const counts = new Map(offered.map((one) => [one.word, one.images]))
  return (
    <div className={css.choice}>
      <SegmentedControl
        fullWidth
        size="xs"
        aria-label="Verdict of the word"
        data={Object.entries(verdictNames).map(([value, name]) => ({ value, label: name }))}
        value={label}
        onChange={(value) => {
          const next = value as Word['label']
          setLabel(next)
          if (word) onChange({ ...word, label: next }, false)
        }}
      />
      <Select
        label="Images whose response names"
        placeholder={words === null ? 'Loading…' : 'Choose a word'}
        searchable
        clearable
        data-autofocus
        limit={mostOffered}
        comboboxProps={{ withinPortal: false }}
        nothingFoundMessage={
          label === 'any'
            ? 'No response names this.'
            : `No response has such a word as ${verdictNames[label].toLowerCase()}.`
        }
        data={offered.map((one) => one.word)}
        value={word?.text ?? null}
        onChange={(text) => onChange(text === null ? null : { text, label }, true)}
        renderOption={({ option: { value } }) => (
          <span className={css.counts}>
            <bdi>{value}</bdi>
            <span>{formatCount(counts.get(value) ?? 0)}</span>
          </span>
        )}
      />
    </div>
  )
}

/** Images in which the word got this verdict; for any, those of the most frequent one at least. */
function imagesOf({ grounded, hallucinated, neutral }: ObjectWord, label: Word['label']): number {
  // An image can name a word twice with two verdicts, so their sum may count it twice.
  return label === 'any' ? Math.max(grounded, hallucinated, neutral) : { grounded, hallucinated, neutral }[label]
}
