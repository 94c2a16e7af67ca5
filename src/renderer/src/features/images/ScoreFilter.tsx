// Images whose response has its lowest score within a range; an end that is left empty is open.
import { Button, NumberInput } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import type { ImageQuery } from '../../../../shared/domain.ts'
import css from './FilterBar.module.css'
import { highestScore, lowestScore } from './filters.ts'

interface ScoreFilterProps {
  readonly range: ImageQuery['scoreRange']
  readonly onChange: (range: ImageQuery['scoreRange']) => void
}

export function ScoreFilter({ range, onChange }: ScoreFilterProps): ReactNode {
  const [low, setLow] = useState<number | string>(range && range.low > lowestScore ? range.low : '')
  const [high, setHigh] = useState<number | string>(range && range.high < highestScore ? range.high : '')
  const [from, to] = [numberOf(low, lowestScore), numberOf(high, highestScore)]
  const isTurned = from > to
  const common = { min: lowestScore, max: highestScore, step: 0.01, decimalScale: 3 } as const
  return (
    <form
      className={css.choice}
      onSubmit={(event) => {
        event.preventDefault()
        if (isTurned) return
        onChange(from === lowestScore && to === highestScore ? null : { low: from, high: to })
      }}
    >
      <p className={css.hint}>
        The score of the word that agrees least with its image: a cosine, from −1 to 1. Leave an end empty for no bound.
      </p>
      <div className={css.range}>
        <NumberInput label="From" placeholder="any" data-autofocus value={low} onChange={setLow} {...common} />
        <NumberInput
          label="To"
          placeholder="any"
          value={high}
          onChange={setHigh}
          error={isTurned ? 'Lower than “From”' : undefined}
          {...common}
        />
      </div>
      <Button type="submit" size="xs" disabled={isTurned}>
        Show these
      </Button>
    </form>
  )
}

function numberOf(typed: number | string, whenEmpty: number): number {
  return typeof typed === 'number' && Number.isFinite(typed) ? typed : whenEmpty
}
