// CHAIR of all runs of a sweep: annotated images are chosen once, and each run gets an evaluation of its own. Before it stands
// the table of a sweep's page, after it main's queue of evaluations.
import { Button, Stack, Text } from '@mantine/core'
import { IconRulerMeasure } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { z } from 'zod'
import { type ErrorRecord, toErrorRecord } from '../../../../shared/errors.ts'
import type { ChairMeasure } from '../../../../shared/evaluations.ts'
import type { ChairGap, ChairPlan, SweepDetail } from '../../../../shared/sweepView.ts'
import { request, useAppState } from '../../api.ts'
import { formatCount, formatPlural } from '../../format.ts'
import { useKept } from '../../place.ts'
import { useChairPlan } from '../../queries/sweeps.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorAlert } from '../../ui/ErrorAlert.tsx'
import shared from '../../ui/shared.module.css'
import { MeasuredImages } from '../evaluate/MeasureFields.tsx'
import { emptyMeasure, measureOf } from '../evaluate/measures.ts'
import css from './Sweep.module.css'

/** Of the dialog, so that a sweep that goes on is measured on the same images again. */
const filesSchema = z.object({ annotationFile: z.string(), imageFolder: z.string(), most: z.number().nullable() })
const noFiles = { annotationFile: '', imageFolder: '', most: null }

export function MeasureChair({ detail }: { readonly detail: SweepDetail }): ReactNode {
  const isReading = useAppState().workspace?.readOnlyBecause !== null
  const [isAsking, setAsking] = useState(false)
  const hasOne = detail.runs.some(({ state, isPlacebo }) => state === 'complete' && !isPlacebo)
  if (isReading || !hasOne) return null
  return (
    <>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconRulerMeasure size={15} aria-hidden="true" />}
        onClick={() => setAsking(true)}
      >
        Measure CHAIR…
      </Button>
      {isAsking && <ChairDialog detail={detail} onClose={() => setAsking(false)} />}
    </>
  )
}

interface ChairDialogProps {
  readonly detail: SweepDetail
  readonly onClose: () => void
}

function ChairDialog({ detail: { sweep, collection }, onClose }: ChairDialogProps): ReactNode {
  const { sweepId } = sweep
  const [files, setFiles] = useKept(`runs.chair ${sweepId}`, filesSchema, noFiles)
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<ErrorRecord | null>(null)
  const draft = { ...emptyMeasure, ...files, kind: 'chair' as const }
  const measure = measureOf(draft) as ChairMeasure | null
  const plan = useChairPlan({ sweepId, measure })
  const away = collection?.cells.filter(({ state }) => state !== 'complete').length ?? 0
  const start = async (): Promise<void> => {
    if (measure === null) return
    setBusy(true)
    setError(null)
    try {
      await request('sweeps.measureChair', { sweepId, measure })
      onClose()
    } catch (thrown) {
      setError(toErrorRecord(thrown))
      setBusy(false)
    }
  }
  return (
    <Dialog onClose={onClose} centered size="lg" title="Measure CHAIR of this sweep">
      <Stack gap="lg">
        <Text size="sm" className="quiet">
          Each run gets an evaluation of its own on the same annotated images: the model as it came, the step that is
          kept, and its placebo at that step.
        </Text>
        <MeasuredImages
          draft={draft}
          onChange={({ annotationFile, imageFolder, most }) => setFiles({ annotationFile, imageFolder, most })}
          images={[]}
        />
        {plan && <Plan plan={plan} most={draft.most} away={away} />}
        {error && <ErrorAlert error={error} />}
      </Stack>
      <div className={shared.dialogActions}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          loading={isBusy}
          disabled={measure === null || !plan || plan.evaluations === 0}
          onClick={() => void start()}
        >
          Add to the queue
        </Button>
      </div>
    </Dialog>
  )
}

const gapWords: Readonly<Record<ChairGap, string>> = {
  'not-at-end': 'not complete',
  'no-kept-step': 'no look chose a step to keep',
  'no-weights': 'the weights of the kept step are no longer there',
}

interface PlanProps {
  readonly plan: ChairPlan
  readonly most: number | null
  /** Cells of other machines that are not here. */
  readonly away: number
}

/** What is about to be asked for, and what is left out. */
function Plan({ plan, most, away }: PlanProps): ReactNode {
  const { evaluations, measured, waiting, leftOut, placebosLeftOut } = plan
  const notes = [
    ...(measured > 0 ? [`${formatPlural(measured, 'run')} measured on these images already.`] : []),
    ...(waiting > 0 ? [`${formatPlural(waiting, 'run')} in the queue for these images already.`] : []),
    ...leftOut.map(({ gap, runs }) => `${formatPlural(runs, 'run')} left out: ${gapWords[gap]}.`),
    ...(away > 0 ? [`${formatPlural(away, 'cell')} left out: no result is here.`] : []),
    ...(placebosLeftOut > 0
      ? [`${formatPlural(placebosLeftOut, 'placebo')} left out: no weights at the kept step of the run.`]
      : []),
  ]
  return (
    <section className={css.plan} aria-label="What is measured">
      <p role="status" aria-label="Evaluations">
        {evaluations === 0 ? (
          'Nothing is left to measure.'
        ) : (
          <>
            <strong>
              {formatPlural(evaluations, 'evaluation')}, {answersWords(plan, most)}.
            </strong>
            {plan.images === null && ' How many images take part shows once the first has read the files.'}
          </>
        )}
      </p>
      {notes.length > 0 && (
        <ul>
          {notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </section>
  )
}

/** Known once the files were read by an evaluation; before that by the image, or as a bound. */
function answersWords({ answersAnImage, images }: ChairPlan, most: number | null): string {
  if (images !== null) return `${formatPlural(answersAnImage * images, 'answer')} on ${formatPlural(images, 'image')}`
  if (most !== null) return `at most ${formatPlural(answersAnImage * most, 'answer')} on ${formatCount(most)} images`
  return `${formatPlural(answersAnImage, 'answer')} to each image`
}
