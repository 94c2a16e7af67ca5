// New run: a model, the images, a preset and a check, step by step. What was chosen is kept when the page is left.
import { Button, Loader, Stepper, Text, Title } from '@mantine/core'
import { modals } from '@mantine/modals'
import { IconAlertTriangle, IconPlayerPlay, IconServer } from '@tabler/icons-react'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { presets } from '../../../shared/runConfig.ts'
import { request, useAppState } from '../api.ts'
import { attempt } from '../attempt.ts'
import { CheckStep } from '../features/runs/CheckStep.tsx'
import { inputId } from '../features/runs/DraftInput.tsx'
import { ImagesStep, imageSettings } from '../features/runs/ImagesStep.tsx'
import { ModelStep } from '../features/runs/ModelStep.tsx'
import { type NewRun as Draft, type NewRunStep, newRunSteps, useNewRun } from '../features/runs/newRunDraft.ts'
import { PresetStep } from '../features/runs/PresetStep.tsx'
import { SendSweep } from '../features/runs/SendSweep.tsx'
import { formatPlural } from '../format.ts'
import { navigate } from '../place.ts'
import { useModels } from '../queries/models.ts'
import { useRunCheck } from '../queries/newRun.ts'
import { useRuns } from '../queries/runs.ts'
import shared from '../ui/shared.module.css'
import css from './NewRun.module.css'

export function NewRun(): ReactNode {
  const models = useModels()
  const runs = useRuns()
  const newRun = useNewRun(models, runs)
  const check = useRunCheck()
  const [wanted, setWanted] = useState<string | null>(null)
  const body = useRef<HTMLDivElement>(null)
  const { draft, change } = newRun
  const index = newRunSteps.indexOf(draft.step)

  // biome-ignore lint/correctness/useExhaustiveDependencies: another step begins at its top
  useEffect(() => body.current?.scrollTo({ top: 0 }), [draft.step])
  useEffect(() => {
    if (wanted === null) return
    const input = document.getElementById(inputId(wanted))
    const fold = input?.closest('details')
    if (fold) fold.open = true
    input?.scrollIntoView({ block: 'center' })
    input?.focus()
    setWanted(null)
  }, [wanted])
  const goTo = (step: NewRunStep): void => change({ step })
  const toField = (key: string): void => {
    goTo(imageSettings.has(key) ? 'images' : 'preset')
    setWanted(key)
  }

  return (
    <div className={css.page}>
      <header className={shared.pageHead}>
        <Title order={1} size="h3">
          New run
        </Title>
      </header>
      <Stepper
        className={css.steps}
        classNames={{ stepDescription: css.stepDescription }}
        active={index}
        onStepClick={(step) => goTo(newRunSteps[step] ?? 'model')}
        size="sm"
        iconSize={30}
      >
        {stepHeads(newRun).map(({ step, label, description, isWrong }) => (
          <Stepper.Step
            key={step}
            label={label}
            description={description}
            {...(step === draft.step && { 'aria-current': 'step' as const })}
            {...(isWrong && {
              color: 'red.8',
              completedIcon: <IconAlertTriangle size={16} role="img" aria-label="Something is wrong" />,
            })}
          />
        ))}
      </Stepper>
      <div ref={body} className={css.body}>
        <div className={css.column}>
          {!models || !runs ? (
            <Loader size="sm" aria-label="Loading" />
          ) : draft.step === 'model' ? (
            <ModelStep newRun={newRun} models={models} />
          ) : draft.step === 'images' ? (
            <ImagesStep newRun={newRun} />
          ) : draft.step === 'preset' ? (
            <PresetStep newRun={newRun} />
          ) : (
            <CheckStep {...{ newRun, check, runs, models }} onField={toField} onModel={() => goTo('model')} />
          )}
        </div>
      </div>
      <Actions newRun={newRun} index={index} onStep={goTo} />
    </div>
  )
}

function stepHeads(newRun: Draft): {
  readonly step: NewRunStep
  readonly label: string
  readonly description: string
  readonly isWrong: boolean
}[] {
  const { model, draft, read } = newRun
  const wrong = read.problems.map(({ key }) => key)
  const changes = read.changed.size
  return [
    { step: 'model', label: 'Model', description: model?.name ?? 'Which one learns', isWrong: false },
    {
      ...{ step: 'images', label: 'Images', description: 'How many, which not' },
      isWrong: wrong.some((key) => imageSettings.has(key)),
    },
    {
      ...{ step: 'preset', label: 'Preset' },
      description: presets[draft.preset].title + (changes > 0 ? `, ${formatPlural(changes, 'change')}` : ''),
      isWrong: wrong.some((key) => !imageSettings.has(key)),
    },
    { step: 'check', label: 'Check', description: 'Time, memory, verifier', isWrong: false },
  ]
}

interface ActionsProps {
  readonly newRun: Draft
  readonly index: number
  readonly onStep: (step: NewRunStep) => void
}

/** Always in sight, however long a step is. */
function Actions({ newRun, index, onStep }: ActionsProps): ReactNode {
  const { draft, change, discard, isTouched, canHavePlacebo, asked, model, several, name } = newRun
  const isReading = useAppState().workspace?.readOnlyBecause !== null
  const [isBusy, setBusy] = useState(false)
  const [isSending, setSending] = useState(false)
  const next = newRunSteps[index + 1]
  const before = newRunSteps[index - 1]
  const leave = (): void => {
    discard()
    navigate({ page: 'runs' }, { replaces: true })
  }
  const start = async (): Promise<void> => {
    if (!asked) return
    setBusy(true)
    try {
      const { runId } = await request('runs.create', asked)
      if (draft.withPlacebo && canHavePlacebo) await request('runs.createPlacebo', { runId })
      discard()
      // The page has done its work: back leads to what was before it.
      navigate({ page: 'runs', runId }, { replaces: true })
    } finally {
      setBusy(false)
    }
  }
  const sweep = several?.runs
    ? { name, runs: [...several.runs], withPlacebo: draft.withPlacebo && canHavePlacebo }
    : null
  const showSweep = (sweepId: string): void => {
    discard()
    navigate({ page: 'runs', sweepId }, { replaces: true })
  }
  const makeSeveral = async (): Promise<void> => {
    if (!sweep) return
    setBusy(true)
    try {
      showSweep((await request('sweeps.create', sweep)).sweepId)
    } finally {
      setBusy(false)
    }
  }
  return (
    <footer className={css.actions}>
      <Button variant="subtle" color="gray" onClick={() => (isTouched ? askToDiscard(leave) : leave())}>
        Discard
      </Button>
      <span className={css.space} />
      {before && (
        <Button variant="default" onClick={() => change({ step: before })}>
          Previous
        </Button>
      )}
      {!next && several && (
        <Button
          variant="default"
          leftSection={<IconServer size={16} />}
          disabled={!sweep || isReading || isBusy}
          onClick={() => setSending(true)}
        >
          Send to the cluster…
        </Button>
      )}
      {isSending && sweep && <SendSweep sweep={sweep} onClose={() => setSending(false)} onSent={showSweep} />}
      {next ? (
        <Button disabled={draft.step === 'model' && !model} onClick={() => onStep(next)}>
          Next
        </Button>
      ) : (
        <Button
          leftSection={<IconPlayerPlay size={16} />}
          loading={isBusy}
          disabled={!asked || isReading || (several !== null && !sweep)}
          onClick={() => attempt(several ? makeSeveral : start)}
        >
          {several ? 'Add to the queue' : 'Start'}
        </Button>
      )}
    </footer>
  )
}

function askToDiscard(discard: () => void): void {
  modals.openConfirmModal({
    title: 'Discard this new run?',
    centered: true,
    children: <Text size="sm">Its name and the settings that you changed are forgotten. No run is touched.</Text>,
    labels: { confirm: 'Discard it', cancel: 'Keep it' },
    cancelProps: { 'data-autofocus': true },
    confirmProps: { color: 'red.9' },
    closeButtonProps: { 'aria-label': 'Close' },
    onConfirm: discard,
  })
}
