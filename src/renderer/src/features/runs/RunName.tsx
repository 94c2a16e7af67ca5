// The name of a run, and the way to another one.
import { ActionIcon, Button, TextInput, Title, Tooltip } from '@mantine/core'
import { IconPencil } from '@tabler/icons-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import type { RunView } from '../../../../shared/runView.ts'
import { request, useAppState } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import css from './RunName.module.css'

const longestName = 120

export function RunName({ run: { runId, name } }: { readonly run: RunView }): ReactNode {
  const canChange = useAppState().workspace?.readOnlyBecause === null
  const pencil = useRef<HTMLButtonElement>(null)
  const [draft, setDraft] = useState<string | null>(null)
  const wasOpen = useRef(false)
  useEffect(() => {
    if (draft === null && wasOpen.current) pencil.current?.focus()
    wasOpen.current = draft !== null
  }, [draft])
  if (draft === null) {
    return (
      <>
        <Title order={2} size="h3" className={css.name}>
          <bdi>{name}</bdi>
        </Title>
        {canChange && (
          <Tooltip label="Rename">
            <ActionIcon
              ref={pencil}
              variant="subtle"
              color="gray"
              aria-label="Rename the run"
              onClick={() => setDraft(name)}
            >
              <IconPencil size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </>
    )
  }
  const next = draft.trim()
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault()
        if (next === '') return
        attempt(async () => {
          if (next !== name) await request('runs.rename', { runId, name: next })
          setDraft(null)
        })
      }}
    >
      <TextInput
        aria-label="Name of the run"
        autoFocus
        className={css.field}
        maxLength={longestName}
        value={draft}
        {...(next === '' && { error: 'It must not be empty.' })}
        onChange={({ currentTarget }) => setDraft(currentTarget.value)}
        onFocus={({ currentTarget }) => currentTarget.select()}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return
          event.stopPropagation()
          setDraft(null)
        }}
      />
      <Button type="submit" size="xs" disabled={next === ''}>
        Save
      </Button>
      <Button size="xs" variant="default" onClick={() => setDraft(null)}>
        Leave it
      </Button>
    </form>
  )
}
