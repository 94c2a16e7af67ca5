// The checkpoints of a run on a line of its steps, one of them chosen; what can be done with that one, and what it says of
// the images.
import { ActionIcon, Title } from '@mantine/core'
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react'
import { type ReactNode, useId } from 'react'
import { z } from 'zod'
import type { CheckpointView } from '../../../../shared/describe.ts'
import type { RunDetail, RunView } from '../../../../shared/runView.ts'
import { formatFigure, formatPlural, formatShare } from '../../format.ts'
import { useKept } from '../../place.ts'
import { useCheckpoints } from '../../queries/describe.ts'
import { alignedCheckpoint, checkpointName } from '../inspector/questions.ts'
import { CheckpointActions } from './CheckpointActions.tsx'
import css from './RunCheckpoints.module.css'
import { RunSamples } from './RunSamples.tsx'

const stepSchema = z.int().nonnegative().nullable()

interface RunCheckpointsProps {
  readonly run: RunView
  readonly detail: RunDetail
}

export function RunCheckpoints({ run, detail }: RunCheckpointsProps): ReactNode {
  const all = useCheckpoints(run.runId)
  const [step, setStep] = useKept<number | null>(`run.${run.runId}.checkpoint`, stepSchema, null)
  const points = (all ?? []).filter(isOfUse)
  const chosen = points.find((one) => one.step === step) ?? alignedCheckpoint(points) ?? points[0]
  if (!chosen) return null
  const index = points.indexOf(chosen)
  const move = (by: number): void => setStep(points[index + by]?.step ?? chosen.step)
  return (
    <section aria-labelledby="checkpoints-title">
      <Title order={3} size="h5" id="checkpoints-title">
        Checkpoints
      </Title>
      <div className={css.box}>
        <div className={css.lineRow}>
          <ActionIcon variant="default" aria-label="Earlier checkpoint" disabled={index === 0} onClick={() => move(-1)}>
            <IconChevronLeft size={16} />
          </ActionIcon>
          <TimeLine points={points} chosen={chosen} onChoose={setStep} />
          <ActionIcon
            variant="default"
            aria-label="Later checkpoint"
            disabled={index === points.length - 1}
            onClick={() => move(1)}
          >
            <IconChevronRight size={16} />
          </ActionIcon>
        </div>
        <div className={css.head}>
          <strong role="status" aria-label="Chosen checkpoint">
            {checkpointName(chosen)}
            {chosen.isUsed ? ', in use' : chosen.isPinned && ', pinned'}
          </strong>
          <span className="quiet">{factsOf(chosen, detail)}</span>
        </div>
        <CheckpointActions
          key={chosen.step}
          run={run}
          detail={detail}
          checkpoint={chosen}
          isUsual={chosen === alignedCheckpoint(points)}
        />
      </div>
      <RunSamples run={run} checkpoints={all ?? []} chosen={chosen} />
    </section>
  )
}

/** The others have neither weights nor words any more. */
function isOfUse({ step, hasWeights, describedImages, isBest, isPinned }: CheckpointView): boolean {
  return step === 0 || hasWeights || describedImages > 0 || isBest || isPinned
}

function factsOf({ step, summary, describedImages, hasWeights }: CheckpointView, { looks }: RunDetail): string {
  const look = looks.find((one) => one.step === step)
  return [
    look && `${formatShare(look.hallucinationRate)} hallucinated words`,
    summary.meanReward !== null && `reward ${formatFigure(summary.meanReward, 2)}`,
    summary.klNats !== null && `KL ${summary.klNats.toLocaleString(undefined, { maximumSignificantDigits: 2 })} nats`,
    `${formatPlural(describedImages, 'image')} described`,
    !hasWeights && 'weights dropped to save space',
  ]
    .filter(Boolean)
    .join(' · ')
}

interface TimeLineProps {
  readonly points: readonly CheckpointView[]
  readonly chosen: CheckpointView
  readonly onChoose: (step: number) => void
}

/** Radio buttons at the places of their steps: arrow keys lead from one to the next. */
function TimeLine({ points, chosen, onChoose }: TimeLineProps): ReactNode {
  const name = useId()
  const last = Math.max(1, points.at(-1)?.step ?? 1)
  return (
    <fieldset className={css.line} aria-label="Time line of the checkpoints">
      {points.map((point) => {
        const { step, isBest, isPinned, hasWeights } = point
        const kind = isBest ? 'best' : isPinned ? 'pinned' : hasWeights ? 'weights' : 'words'
        return (
          <label key={step} className={css.point} style={{ left: `${(100 * step) / last}%` }} title={pointTitle(point)}>
            <input
              type="radio"
              name={name}
              className={css.radio}
              aria-label={pointTitle(point)}
              checked={step === chosen.step}
              onChange={() => onChoose(step)}
            />
            <span className={css.dot} data-kind={kind} />
            {(step === 0 || step === last || step === chosen.step) && <span className={css.step}>{step}</span>}
          </label>
        )
      })}
    </fieldset>
  )
}

function pointTitle(point: CheckpointView): string {
  return [
    checkpointName(point),
    point.isUsed ? 'in use' : point.isPinned && 'pinned',
    !point.hasWeights && 'weights dropped',
  ]
    .filter(Boolean)
    .join(', ')
}
