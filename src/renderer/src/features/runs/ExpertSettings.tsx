// The expert settings of a new run, folded away: in groups, found by search, only those that are read. Each field knows its
// unit, range, default and source from the schema.
import { Button, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { type DraftField, draftFields, keyOf, largestSeed } from '../../../../shared/runDraft.ts'
import { runSections, sectionGroups } from '../../../../shared/settingFields.ts'
import { formatCount, formatPlural } from '../../format.ts'
import shared from '../../ui/shared.module.css'
import { DraftInput, inputId } from './DraftInput.tsx'
import { imageSettings } from './ImagesStep.tsx'
import css from './NewRunSteps.module.css'
import type { NewRun } from './newRunDraft.ts'

const seedTitle = 'Seed'

export function ExpertSettings({ newRun }: { readonly newRun: NewRun }): ReactNode {
  const { draft, change, read } = newRun
  const [search, setSearch] = useState('')
  const seedProblem = read.problems.find(({ key }) => key === 'seed')?.message
  const isWrong = seedProblem !== undefined || read.problems.some(({ key }) => key.includes('.'))
  // Once open it stays so, whatever is typed.
  const [isOpen, setOpen] = useState(isWrong)
  const wanted = words(search)
  const groups = runSections
    .map((section) => ({
      section,
      ...sectionGroups[section],
      fields: draftFields(section).filter(
        (field) => read.applies.has(keyOf(field)) && !imageSettings.has(keyOf(field)) && matches(field, wanted),
      ),
    }))
    .filter(({ fields }) => fields.length > 0)
  const showsSeed = wanted.every((word) => seedTitle.toLowerCase().includes(word))
  return (
    <details className={shared.fold} open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        Expert settings
        {read.changed.size > 0 && (
          <span className="quiet"> · {formatPlural(read.changed.size, 'change')} to the preset</span>
        )}
      </summary>
      <div className={css.expertTools}>
        <TextInput
          type="search"
          aria-label="Search settings"
          placeholder="Search settings"
          leftSection={<IconSearch size={16} aria-hidden="true" />}
          value={search}
          onChange={({ currentTarget }) => setSearch(currentTarget.value)}
        />
        {Object.keys(draft.texts).length > 0 && (
          <Button variant="default" onClick={() => change({ texts: {} })}>
            Take the preset as it is
          </Button>
        )}
      </div>
      {showsSeed && (
        <div className={`${css.fields} ${shared.foldSection}`}>
          <TextInput
            id={inputId('seed')}
            label={seedTitle}
            description={`0 to ${formatCount(largestSeed)}; the same seed, images and settings give the same run`}
            inputMode="numeric"
            value={draft.seed}
            error={seedProblem}
            onChange={({ currentTarget }) => change({ seed: currentTarget.value })}
          />
        </div>
      )}
      {groups.map(({ section, title, purpose, fields }) => (
        <section key={section} className={shared.foldSection} aria-label={title}>
          <h3>
            {title} <span className={css.purpose}>{purpose}</span>
          </h3>
          <div className={css.fields}>
            {fields.map((field) => (
              <DraftInput key={keyOf(field)} field={field} newRun={newRun} />
            ))}
          </div>
        </section>
      ))}
      {groups.length === 0 && !showsSeed && <p className="quiet">No setting that is read now matches “{search}”.</p>}
    </details>
  )
}

const words = (text: string): string[] => text.toLowerCase().split(/\s+/).filter(Boolean)

/** Each word stands in its title, its unit, its group or one of its choices. */
function matches({ title, unit, labels, section }: DraftField, wanted: readonly string[]): boolean {
  const all = [title, unit, sectionGroups[section].title, ...Object.values(labels ?? {})].join(' ').toLowerCase()
  return wanted.every((word) => all.includes(word))
}
