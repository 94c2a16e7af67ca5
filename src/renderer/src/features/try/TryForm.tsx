// What is asked and how the answer is decoded. An emptied question is the usual one, and says so; an emptied number is asked
// for again.
import { Button, NumberInput, SegmentedControl, Switch, Textarea } from '@mantine/core'
import { IconPlayerStop, IconSend } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { z } from 'zod'
import { type Decoding, decodingSchema, greedy } from '../../../../shared/describe.ts'
import css from './TryForm.module.css'

/** The fields as they stand; null for the empty ones. */
export const tryDraftSchema = z.object({
  prompt: z.string().max(2000),
  isSampled: z.boolean(),
  temperature: z.number().nullable(),
  topP: z.number().nullable(),
  seed: z.number().nullable(),
})
export type TryDraft = z.infer<typeof tryDraftSchema>

export const emptyTryDraft: TryDraft = { prompt: '', isSampled: false, temperature: 0.8, topP: 0.95, seed: 1 }

/** The decoding of a draft; null while a field of it is empty or out of its range. */
export function draftedDecoding({ isSampled, temperature, topP, seed }: TryDraft): Decoding | null {
  if (!isSampled) return greedy
  return decodingSchema.safeParse({ kind: 'sampled', temperature, topP, seed }).data ?? null
}

interface TryFormProps {
  readonly draft: TryDraft
  readonly onDraft: (draft: TryDraft) => void
  /** What is asked when the field is empty. */
  readonly usual: string
  /** Null where there is nothing to compare with. */
  readonly isComparing: boolean | null
  readonly onComparing: (isComparing: boolean) => void
  /** Why nothing can be asked, as a sentence; null when it can. */
  readonly notAskable: string | null
  /** Answers that are on their way; one by itself is cancelled where it grows. */
  readonly underWay: number
  readonly onAsk: () => void
  readonly onCancel: () => void
}

export function TryForm(props: TryFormProps): ReactNode {
  const { draft, onDraft, usual, isComparing, onComparing, notAskable, underWay, onAsk, onCancel } = props
  const canAsk = notAskable === null && draftedDecoding(draft) !== null
  const change = (part: Partial<TryDraft>): void => onDraft({ ...draft, ...part })
  const ask = (): void => {
    if (canAsk) onAsk()
  }
  return (
    <form
      className={css.form}
      aria-label="Question"
      onSubmit={(event) => {
        event.preventDefault()
        ask()
      }}
    >
      <Textarea
        label="Question"
        description="Enter asks, Shift+Enter begins a new line"
        placeholder={usual}
        autosize
        minRows={2}
        maxRows={8}
        maxLength={2000}
        value={draft.prompt}
        onChange={({ currentTarget }) => change({ prompt: currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
          event.preventDefault()
          ask()
        }}
      />
      <div className={css.row}>
        <SegmentedControl
          size="xs"
          aria-label="How words are chosen"
          data={[
            { value: 'greedy', label: 'Likeliest words' },
            { value: 'sampled', label: 'Drawn at random' },
          ]}
          value={draft.isSampled ? 'sampled' : 'greedy'}
          onChange={(value) => change({ isSampled: value === 'sampled' })}
        />
      </div>
      {draft.isSampled && (
        <div className={css.numbers}>
          <DrawField
            label="Temperature"
            range={[0.05, 2]}
            step={0.05}
            value={draft.temperature}
            onChange={(temperature) => change({ temperature })}
          />
          <DrawField
            label="Top-p"
            range={[0.01, 1]}
            step={0.05}
            value={draft.topP}
            onChange={(topP) => change({ topP })}
          />
          <DrawField
            label="Seed"
            range={[0, 2 ** 31 - 1]}
            step={1}
            value={draft.seed}
            onChange={(seed) => change({ seed })}
          />
        </div>
      )}
      <div className={css.row}>
        <Button type="submit" disabled={!canAsk} leftSection={<IconSend size={16} aria-hidden="true" />}>
          {isComparing === true ? 'Ask both' : 'Ask'}
        </Button>
        {underWay > 1 && (
          <Button variant="default" leftSection={<IconPlayerStop size={16} aria-hidden="true" />} onClick={onCancel}>
            Cancel both
          </Button>
        )}
        {isComparing !== null && (
          <Switch
            label="Compare two"
            checked={isComparing}
            onChange={({ currentTarget }) => onComparing(currentTarget.checked)}
          />
        )}
        {notAskable !== null && <span className={css.note}>{notAskable}</span>}
      </div>
    </form>
  )
}

interface DrawFieldProps {
  readonly label: string
  readonly range: readonly [min: number, max: number]
  readonly step: number
  readonly value: number | null
  readonly onChange: (value: number | null) => void
}

function DrawField({ label, range: [min, max], step, value, onChange }: DrawFieldProps): ReactNode {
  const isWrong = value === null || value < min || value > max
  return (
    <NumberInput
      className={css.number}
      size="xs"
      label={label}
      error={isWrong && `${min} to ${max.toLocaleString()}`}
      clampBehavior="none"
      step={step}
      allowNegative={false}
      allowDecimal={step < 1}
      value={value ?? ''}
      onChange={(next) => onChange(typeof next === 'number' ? next : next.trim() === '' ? null : Number(next))}
    />
  )
}
