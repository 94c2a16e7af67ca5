// What if: another question, or a part of the image covered, asked of all models that are shown.
import { Button, Switch, TextInput } from '@mantine/core'
import { IconArrowBackUp, IconSend } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { Region } from '../../../../shared/describe.ts'
import { asUsual, type WhatIf } from './questions.ts'
import css from './WhatIfBar.module.css'

export interface WhatIfBarProps {
  /** What is asked unless something else is. */
  readonly usual: string
  /** What is shown now. */
  readonly asked: WhatIf
  /** Drawn on the image, and not asked about yet unless `asked` has it too. */
  readonly region: Region | null
  readonly isCovering: boolean
  readonly onCovering: (isCovering: boolean) => void
  /** Asks this, or goes back to the usual question. */
  readonly onAsk: (whatIf: WhatIf) => void
  /** Why nothing can be asked; null when it can. */
  readonly notAskable: string | null
}

export function WhatIfBar(props: WhatIfBarProps): ReactNode {
  const { usual, asked, region, isCovering, onCovering, onAsk, notAskable } = props
  const [prompt, setPrompt] = useState(asked.prompt ?? '')
  const trimmed = prompt.trim()
  const wanted: WhatIf = {
    ...asked,
    ...{ prompt: trimmed === '' || trimmed === usual ? null : trimmed, region },
  }
  const isNew = wanted.prompt !== asked.prompt || wanted.region !== asked.region
  const isUsual = asked.prompt === null && asked.region === null
  return (
    <form
      className={css.bar}
      aria-label="What if"
      onSubmit={(event) => {
        event.preventDefault()
        if (isNew && notAskable === null) onAsk(wanted)
      }}
    >
      <TextInput
        className={css.prompt}
        label="Question"
        placeholder={usual}
        maxLength={2000}
        value={prompt}
        onChange={({ currentTarget }) => setPrompt(currentTarget.value)}
      />
      <Switch
        className={css.cover}
        label="Cover a region"
        checked={isCovering}
        onChange={({ currentTarget }) => onCovering(currentTarget.checked)}
      />
      <div className={css.actions}>
        <Button
          type="submit"
          variant={isNew ? 'filled' : 'default'}
          disabled={!isNew || notAskable !== null}
          leftSection={<IconSend size={16} aria-hidden="true" />}
        >
          Ask
        </Button>
        {!isUsual && (
          <Button
            variant="subtle"
            leftSection={<IconArrowBackUp size={16} aria-hidden="true" />}
            onClick={() => {
              setPrompt('')
              onAsk(asUsual)
            }}
          >
            As usual
          </Button>
        )}
      </div>
      {isCovering && (
        <p className={css.hint}>
          Drag over the image. What is grey is hidden from the model and from its verifier when you ask.
        </p>
      )}
    </form>
  )
}
