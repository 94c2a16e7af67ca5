// What the images are filtered by, each as a chip that can be taken away: whose responses, their verdicts, a word, their
// lowest score, a tag.
import { Button, Radio, Select, Stack } from '@mantine/core'
import type { ReactNode } from 'react'
import type { AnsweredCheckpoint, ImageQuery, TagRecord } from '../../../../shared/domain.ts'
import { formatPlural } from '../../format.ts'
import css from './FilterBar.module.css'
import { FilterChip } from './FilterChip.tsx'
import { type Filters, isFiltered, noFilters, rangeWords, verdicts } from './filters.ts'
import { ScoreFilter } from './ScoreFilter.tsx'
import { verdictNames, WordFilter } from './WordFilter.tsx'

interface FilterBarProps {
  readonly filters: Filters
  readonly onChange: (filters: Filters) => void
  /** What the filters come to. */
  readonly query: ImageQuery
  readonly answered: readonly AnsweredCheckpoint[]
  readonly checkpoint: AnsweredCheckpoint | undefined
  readonly tags: readonly TagRecord[]
}

export function FilterBar({ filters, onChange, query, answered, checkpoint, tags }: FilterBarProps): ReactNode {
  const change = (changes: Partial<Filters>): void => onChange({ ...filters, ...changes })
  const { word, scoreRange, tag, responses } = query
  return (
    <section className={css.bar} aria-label="Filters">
      {answered.length > 0 && (
        <ResponsesSelect
          answered={answered}
          checkpoint={checkpoint}
          onChange={(checkpointId) => change({ checkpoint: checkpointId })}
        />
      )}
      {checkpoint && (
        <>
          <FilterChip
            name="Verdict"
            value={verdicts.find(({ value }) => value === responses)?.label ?? null}
            onClear={() => change({ responses: 'any' })}
          >
            {(close) => (
              <VerdictChoice
                value={responses}
                onChange={(value) => {
                  change({ responses: value })
                  close()
                }}
              />
            )}
          </FilterChip>
          <FilterChip
            name="Word"
            value={
              word && (word.label === 'any' ? word.text : `${word.text}, ${verdictNames[word.label].toLowerCase()}`)
            }
            width={320}
            onClear={() => change({ word: null })}
          >
            {(close) => (
              <WordFilter
                checkpointId={checkpoint.checkpointId}
                word={word}
                onChange={(next, isDone) => {
                  change({ word: next })
                  if (isDone) close()
                }}
              />
            )}
          </FilterChip>
          <FilterChip
            name="Lowest score"
            value={scoreRange && rangeWords(scoreRange)}
            onClear={() => change({ scoreRange: null })}
          >
            {(close) => (
              <ScoreFilter
                range={scoreRange}
                onChange={(range) => {
                  change({ scoreRange: range })
                  close()
                }}
              />
            )}
          </FilterChip>
        </>
      )}
      {(tags.length > 0 || tag !== null) && (
        <FilterChip name="Tag" value={tag} onClear={() => change({ tag: null })}>
          {(close) => (
            <TagChoice
              tags={tags}
              value={tag}
              onChange={(value) => {
                change({ tag: value })
                close()
              }}
            />
          )}
        </FilterChip>
      )}
      {isFiltered(query) && (
        <Button
          variant="subtle"
          size="compact-sm"
          onClick={() => onChange({ ...noFilters, sort: filters.sort, checkpoint: filters.checkpoint })}
        >
          Clear filters
        </Button>
      )}
      {answered.length === 0 ? (
        <p className={css.hint}>Once a model has described images, filter them here by its words and their verdicts.</p>
      ) : (
        !checkpoint && <p className={css.hint}>Choose whose responses are meant to filter by words and verdicts.</p>
      )}
    </section>
  )
}

const noResponses = 'none'

interface ResponsesSelectProps {
  readonly answered: readonly AnsweredCheckpoint[]
  readonly checkpoint: AnsweredCheckpoint | undefined
  readonly onChange: (checkpointId: Filters['checkpoint']) => void
}

/** The checkpoint whose responses the marks, filters and orders mean. */
function ResponsesSelect({ answered, checkpoint, onChange }: ResponsesSelectProps): ReactNode {
  return (
    <Select
      className={css.responses}
      size="xs"
      aria-label="Responses of"
      allowDeselect={false}
      maxDropdownHeight={360}
      comboboxProps={{ width: 320, position: 'bottom-start' }}
      data={[
        { value: noResponses, label: 'Without responses' },
        ...answered.map(({ checkpointId, runName, step }) => ({
          value: String(checkpointId),
          label: `${runName}, ${step === 0 ? 'as it came' : `step ${step}`}`,
        })),
      ]}
      value={checkpoint ? String(checkpoint.checkpointId) : noResponses}
      onChange={(value) => onChange(value === noResponses ? null : Number(value))}
      renderOption={({ option: { value, label } }) => {
        const one = answered.find(({ checkpointId }) => String(checkpointId) === value)
        return (
          <span>
            <bdi>{label}</bdi>
            <span className={css.note}>
              {one ? `${formatPlural(one.responses, 'image')} described` : 'Names, sizes and tags only'}
            </span>
          </span>
        )
      }}
    />
  )
}

interface VerdictChoiceProps {
  readonly value: ImageQuery['responses']
  readonly onChange: (value: ImageQuery['responses']) => void
}

function VerdictChoice({ value, onChange }: VerdictChoiceProps): ReactNode {
  return (
    <Radio.Group
      label="Images whose response has"
      value={value}
      onChange={(chosen) => onChange(chosen as ImageQuery['responses'])}
    >
      <Stack gap="xs" mt="xs">
        <Radio value="any" label="Any, or none" />
        {verdicts.map(({ value: one, label, note }) => (
          <Radio key={one} value={one} label={label} description={note} />
        ))}
      </Stack>
    </Radio.Group>
  )
}

interface TagChoiceProps {
  readonly tags: readonly TagRecord[]
  readonly value: string | null
  readonly onChange: (value: string | null) => void
}

function TagChoice({ tags, value, onChange }: TagChoiceProps): ReactNode {
  return (
    <Select
      label="Images with the tag"
      placeholder="Choose a tag"
      searchable
      clearable
      data-autofocus
      limit={200}
      comboboxProps={{ withinPortal: false }}
      nothingFoundMessage="No tag of this name"
      data={tags.map(({ name }) => name)}
      value={value}
      onChange={onChange}
      renderOption={({ option: { value: name } }) => (
        <span className={css.counts}>
          <bdi>{name}</bdi>
          <span>{tags.find((one) => one.name === name)?.images ?? 0}</span>
        </span>
      )}
    />
  )
}
