// Shown once, beside the pages that it is about: four steps that say where things are. It covers nothing and can be skipped.
import { Button } from '@mantine/core'
import { useLocalStorage } from '@mantine/hooks'
import type { ReactNode } from 'react'
import { z } from 'zod'
import { useAppState } from '../api.ts'
import type { PageName } from '../route.ts'
import { keyWords } from './onMac.ts'
import css from './Tour.module.css'

interface Step {
  readonly page: PageName | null
  readonly words: string
  /** In a workspace that has images. */
  readonly withImages?: string
}

const steps: readonly Step[] = [
  {
    page: 'images',
    words: 'Bring pictures here. A workspace keeps what you find out about them in one file.',
    withImages: 'Your pictures are here. A workspace keeps what you find out about them in one file.',
  },
  { page: 'models', words: 'Add a model with the encoder that it sees with, or use the small one of the demo.' },
  { page: 'runs', words: 'A run teaches the model to say only what it sees. Pause it whenever you like.' },
  { page: null, words: `${keyWords('palette')} finds anything by its name, and ${keyWords('help')} shows all keys.` },
]

/** How far it is; as many as there are steps once it is over. */
const stepSchema = z.int().min(0).max(steps.length)

export interface TourState {
  /** Null once it is over. */
  readonly step: number | null
  /** The page that the step is about. */
  readonly page: PageName | null
  readonly show: (step: number) => void
}

export function useTour(): TourState {
  const [kept, keep] = useLocalStorage<unknown>({ key: 'tour.step', defaultValue: 0, getInitialValueInEffect: false })
  const step = stepSchema.catch(steps.length).parse(kept)
  return {
    step: step < steps.length ? step : null,
    page: steps[step]?.page ?? null,
    show: keep,
  }
}

export function Tour({ tour: { step, show } }: { readonly tour: TourState }): ReactNode {
  const hasImages = (useAppState().workspace?.imageCount ?? 0) > 0
  const shown = step === null ? undefined : steps[step]
  if (step === null || !shown) return null
  const isLast = step === steps.length - 1
  return (
    <section className={css.tour} aria-label="Tour">
      <p className={css.count}>
        {step + 1} of {steps.length}
      </p>
      <p className={css.words}>{(hasImages && shown.withImages) || shown.words}</p>
      <div className={css.actions}>
        <Button size="compact-xs" onClick={() => show(step + 1)}>
          {isLast ? 'Done' : 'Go ahead'}
        </Button>
        {!isLast && (
          <Button size="compact-xs" variant="subtle" color="gray" onClick={() => show(steps.length)}>
            Skip
          </Button>
        )}
      </div>
    </section>
  )
}
