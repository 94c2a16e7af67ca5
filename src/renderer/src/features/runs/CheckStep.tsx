// New run, last step: what is known of it at once, and a small measurement with its models that says how long it takes, what
// it needs and whether the verifier can tell.
import { Alert, Anchor, Button, Progress } from '@mantine/core'
import { IconAlertTriangle, IconGauge, IconInfoCircle } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { CheckSubject, RunCheckProgress } from '../../../../shared/runCheck.ts'
import type { ModelView, RunView } from '../../../../shared/runView.ts'
import { useStudioEvent } from '../../api.ts'
import { type RunCheckState, usePrecheck } from '../../queries/newRun.ts'
import { ErrorAlert } from '../../ui/ErrorAlert.tsx'
import shared from '../../ui/shared.module.css'
import css from './CheckStep.module.css'
import { Findings } from './Findings.tsx'
import type { NewRun } from './newRunDraft.ts'
import { SeveralAtOnce } from './SeveralAtOnce.tsx'

/** What only a measurement tells. */
const measured: Readonly<Partial<Record<CheckSubject, string>>> = {
  time: 'How long the run takes.',
  memory: 'Whether a step fits into memory.',
  disk: 'Room for checkpoints and responses.',
  verifier: 'Whether it tells right words from hallucinated ones.',
}

const phaseWords: Readonly<Record<RunCheckProgress['phase'], string>> = {
  opening: 'Opening the model',
  rollout: 'Describing some images',
  reward: 'Checking their words',
  update: 'Trying a part of a step',
  look: 'Looking at a validation image',
}

interface CheckStepProps {
  readonly newRun: NewRun
  readonly check: RunCheckState
  readonly runs: readonly RunView[]
  readonly models: readonly ModelView[]
  /** Leads to a setting, by its key in the draft. */
  readonly onField: (key: string) => void
  readonly onModel: () => void
}

export function CheckStep({ newRun, check, runs, models, onField, onModel }: CheckStepProps): ReactNode {
  const { asked, model, read } = newRun
  const precheck = usePrecheck(asked)
  const isCurrent = isSame(check.asked, asked)
  const result = isCurrent ? check.result : null
  const isQueueBusy = runs.some(({ state }) => state === 'running' || state === 'queued')
  if (!asked) {
    return (
      <section aria-labelledby="check-title">
        <h2 className={shared.legend} id="check-title">
          Not ready to start
        </h2>
        <ul className={css.missing}>
          {!model && (
            <li>
              No model is chosen.{' '}
              <Anchor component="button" type="button" inherit onClick={onModel}>
                Choose one
              </Anchor>
            </li>
          )}
          {read.problems.map(({ key, title, message }) => (
            <li key={key}>
              <strong>{title}.</strong> {message}{' '}
              <Anchor component="button" type="button" inherit onClick={() => onField(key)}>
                Change it
              </Anchor>
            </li>
          ))}
        </ul>
      </section>
    )
  }
  const shown = result ?? precheck
  return (
    <>
      <section className={css.section} aria-labelledby="check-title">
        <h2 className={shared.legend} id="check-title">
          Before it starts
        </h2>
        {shown && (
          <Findings
            label="Findings"
            findings={shown.findings}
            open={result?.measured ? {} : measured}
            onField={onField}
          />
        )}
      </section>
      {isQueueBusy && (
        <p className={`${shared.finding} ${css.note}`}>
          <IconInfoCircle size={16} aria-hidden="true" />
          Another run is under way or waits; this one starts after it. Nothing can be measured while a run is under way.
        </p>
      )}
      {precheck?.verdict === 'refused' ? (
        <p className={css.note}>Nothing can be measured before what is refused is put right.</p>
      ) : (
        <Measurement check={check} isCurrent={isCurrent} onCheck={() => check.start(asked)} />
      )}
      {shown?.verdict === 'refused' && (
        <Alert
          color="yellow"
          variant="light"
          icon={<IconAlertTriangle size={18} />}
          title="The check refuses this run"
          className={css.refused}
        >
          It could not do what it is for. You can start it all the same; it will most likely end with an error that says
          why, and nothing of yours is changed by it.
        </Alert>
      )}
      <SeveralAtOnce newRun={newRun} models={models} measured={result?.measured ?? null} />
    </>
  )
}

interface MeasurementProps {
  readonly check: RunCheckState
  /** The last check was of the draft as it is now. */
  readonly isCurrent: boolean
  readonly onCheck: () => void
}

function Measurement({ check, isCurrent, onCheck }: MeasurementProps): ReactNode {
  const [progress, setProgress] = useState<RunCheckProgress | null>(null)
  useStudioEvent('runs.checkProgress', setProgress)
  if (check.isBusy) {
    const percent = Math.round(100 * (progress?.share ?? 0))
    return (
      <section className={css.busy} aria-label="Measurement">
        <div className={css.busyHead}>
          <span role="status">{progress ? phaseWords[progress.phase] : 'Waiting for the engine'}…</span>
          <Button size="xs" variant="default" onClick={check.cancel}>
            Cancel the check
          </Button>
        </div>
        <Progress value={percent} aria-label="Progress of the check" animated />
      </section>
    )
  }
  const isCancelled = check.error?.code === 'run.cancelled'
  const words = isCancelled
    ? 'The check was cancelled.'
    : check.result && !isCurrent
      ? 'Something was changed since the last check, so its figures are no longer shown.'
      : check.result
        ? null
        : 'A few responses and a part of a step with the real models; takes a minute or so, and nothing is stored.'
  return (
    <section className={css.section} aria-label="Measurement">
      {check.error && !isCancelled && isCurrent && <ErrorAlert error={check.error} />}
      <div className={css.measure}>
        <Button variant="default" leftSection={<IconGauge size={18} />} onClick={onCheck}>
          {check.result || check.error ? 'Measure again' : 'Measure it first'}
        </Button>
        {words && <span className={css.note}>{words}</span>}
      </div>
    </section>
  )
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
