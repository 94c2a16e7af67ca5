// A file or folder of a person: typed, or chosen in the system's dialog.
import { Button, TextInput } from '@mantine/core'
import { IconFolderOpen } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { attempt } from '../attempt.ts'
import css from './PathField.module.css'

interface PathFieldProps {
  readonly label: string
  readonly description: string
  /** What the button is called where its place is not seen. */
  readonly chooseLabel: string
  readonly value: string
  readonly onChange: (path: string) => void
  /** Opens the dialog; null when it was closed. */
  readonly pick: () => Promise<string | null>
}

export function PathField({ label, description, chooseLabel, value, onChange, pick }: PathFieldProps): ReactNode {
  const choose = (): void =>
    attempt(async () => {
      const picked = await pick()
      if (picked !== null) onChange(picked)
    })
  return (
    <div className={css.field}>
      <TextInput
        label={label}
        description={description}
        value={value}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
      />
      <Button
        variant="default"
        leftSection={<IconFolderOpen size={16} aria-hidden="true" />}
        aria-label={chooseLabel}
        onClick={choose}
      >
        Choose…
      </Button>
    </div>
  )
}
