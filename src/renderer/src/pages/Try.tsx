// Try it: one image, any question, one or two policies beside each other, and what was asked before.
import { Alert, Button, Title } from '@mantine/core'
import { IconHourglass, IconPhotoPlus, IconPhotoSearch } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { z } from 'zod'
import { type CheckpointId, type ImageFacts, type ModelId, modelIdSchema } from '../../../shared/domain.ts'
import type { ModelView, RunView } from '../../../shared/runView.ts'
import { useAppState } from '../api.ts'
import { usualQuestion, usualRun } from '../features/inspector/questions.ts'
import { SourceSelect } from '../features/inspector/SourceSelect.tsx'
import {
  policiesOfRun,
  policyOfModel,
  type Side,
  type Strengths,
  strengthKey,
  useReadOnly,
} from '../features/inspector/shownPolicies.ts'
import type { AskedQuestion } from '../features/try/askedBefore.ts'
import { ImagePicker } from '../features/try/ImagePicker.tsx'
import { Trial } from '../features/try/Trial.tsx'
import { navigate, showPage, useKept } from '../place.ts'
import { useCheckpoints, useImage } from '../queries/describe.ts'
import { useModels } from '../queries/models.ts'
import { useRunDetail, useRuns } from '../queries/runs.ts'
import type { RouteTo } from '../route.ts'
import { Dialog } from '../ui/Dialog.tsx'
import shared from '../ui/shared.module.css'
import css from './Try.module.css'

const modelSchema = modelIdSchema.nullable()
const strengthsSchema = z.record(z.string(), z.number())

export function Try({ route }: { readonly route: RouteTo<'try'> }): ReactNode {
  const { workspace } = useAppState()
  const runs = useRuns()
  const models = useModels()
  const [modelId, setModelId] = useKept<ModelId | null>('try.model', modelSchema, null)
  const [isPicking, setPicking] = useState(false)
  const show = (part: Partial<RouteTo<'try'>>): void => navigate({ ...route, ...part }, { replaces: true })
  const started = runs?.filter(({ checkpointStep }) => checkpointStep !== null) ?? []
  const run = runs?.find(({ runId }) => runId === route.runId) ?? (runs ? usualRun(runs) : undefined)
  const model = models?.find((one) => one.modelId === modelId) ?? (run ? undefined : models?.[0])
  const pick = (imageId: number): void => {
    setPicking(false)
    show({ imageId })
  }
  if (!runs || !models) return null
  const isEmpty = workspace?.imageCount === 0
  return (
    <div className={css.page}>
      <header className={css.head}>
        <Title order={1} size="h3" className={css.title}>
          Try it
        </Title>
        {route.imageId !== null && (
          <Button
            variant="default"
            leftSection={<IconPhotoSearch size={16} aria-hidden="true" />}
            onClick={() => setPicking(true)}
          >
            Another image…
          </Button>
        )}
        <SourceSelect
          runs={started}
          models={models}
          value={model ? `model ${model.modelId}` : run ? `run ${run.runId}` : null}
          onRun={(runId) => {
            setModelId(null)
            show({ runId, left: null, right: null })
          }}
          onModel={setModelId}
        />
      </header>
      <UnderWay runs={runs} />
      {isEmpty ? (
        <Teach title="Add images first" action="Go to Images" onAction={() => showPage('images')}>
          Then any question can be asked about one of them, and two models answer it beside each other.
        </Teach>
      ) : !model && !run ? (
        <Teach title="No model is here yet" action="Go to Runs" onAction={() => showPage('runs')}>
          Add a model or start a run. Then ask it anything about one of your images, as it came and aligned.
        </Teach>
      ) : route.imageId === null ? (
        <section className={css.choose} aria-label="Choose an image">
          <p className={css.lead}>Choose an image to ask about.</p>
          <ImagePicker imageId={null} onPick={pick} />
        </section>
      ) : (
        <OfImage
          key={`${route.imageId} ${model?.modelId} ${run?.runId}`}
          imageId={route.imageId}
          route={route}
          show={show}
          {...(model ? { model } : { run: run as RunView })}
        />
      )}
      {isPicking && (
        <Dialog title="Choose an image" size={760} onClose={() => setPicking(false)}>
          <ImagePicker imageId={route.imageId} onPick={pick} />
        </Dialog>
      )}
    </div>
  )
}

interface OfImageProps {
  readonly imageId: number
  readonly route: RouteTo<'try'>
  readonly show: (part: Partial<RouteTo<'try'>>) => void
  /** One of the two. */
  readonly model?: ModelView
  readonly run?: RunView
}

function OfImage({ imageId, model, run, ...rest }: OfImageProps): ReactNode {
  const image = useImage(imageId)
  if (image === undefined) return null
  if (image === null) return <p className={css.note}>This image is no longer in the workspace. Choose another one.</p>
  if (model) return <OfModel {...{ image, model }} {...rest} />
  return run ? <OfRun {...{ image, run }} {...rest} /> : null
}

interface AskedProps extends Pick<OfImageProps, 'route' | 'show'> {
  readonly image: ImageFacts
}

function OfModel({ image, model, route, show }: AskedProps & { readonly model: ModelView }): ReactNode {
  return (
    <Trial
      image={image}
      policies={[policyOfModel(model, useReadOnly())]}
      canCompare={false}
      usual={usualQuestion}
      encoder={{ from: 'model', modelId: model.modelId }}
      prompt={route.prompt}
      onPrompt={(prompt) => show({ prompt })}
      onShow={({ prompt }) => show({ prompt: prompt === usualQuestion ? '' : prompt })}
    />
  )
}

function OfRun({ image, run, route, show }: AskedProps & { readonly run: RunView }): ReactNode {
  const checkpoints = useCheckpoints(run.runId)
  const detail = useRunDetail(run.runId)
  const readOnly = useReadOnly()
  const [strengths, setStrengths] = useKept<Strengths>('try.strengths', strengthsSchema, {})
  if (!checkpoints || !detail) return null
  const policies = policiesOfRun({
    ...{ run, checkpoints, strengths, readOnly, sides: route, onStrengths: setStrengths },
    onSides: (sides) => show({ runId: run.runId, ...sides }),
  })
  if (!policies) return <p className={css.note}>This run has not stored anything yet.</p>
  const usual = detail.config?.rollout.question ?? usualQuestion

  /** The question with those of this run who answered it, the model as it came at the left. */
  const showAgain = ({ prompt, answers }: AskedQuestion): void => {
    const ours = answers
      .flatMap(({ policy }) => (policy.from === 'run' && policy.runId === run.runId ? [policy] : []))
      .filter((policy) => checkpoints.some(({ step }) => step === policy.step))
      .slice(0, 2)
      .sort((a, b) => a.step - b.step)
    const [one, other] = ours
    // An aligned one by itself stands where aligned ones do.
    const sides = one && !other && one.step > 0 ? { left: undefined, right: one } : { left: one, right: other }
    const idOf = (side: Side): CheckpointId | null =>
      checkpoints.find(({ step }) => step === sides[side]?.step)?.checkpointId ?? route[side]
    const wanted = (['left', 'right'] as const).flatMap((side) => {
      const policy = sides[side]
      return policy ? [[strengthKey(side, policy.step), policy.strength]] : []
    })
    setStrengths({ ...strengths, ...Object.fromEntries(wanted) })
    show({ runId: run.runId, left: idOf('left'), right: idOf('right'), prompt: prompt === usual ? '' : prompt })
  }
  return (
    <Trial
      image={image}
      policies={policies}
      canCompare={policies.length > 1}
      usual={usual}
      encoder={{ from: 'run', runId: run.runId }}
      prompt={route.prompt}
      onPrompt={(prompt) => show({ prompt })}
      onShow={showAgain}
    />
  )
}

/** Runs come first: what is asked meanwhile waits for them. */
function UnderWay({ runs }: { readonly runs: readonly RunView[] }): ReactNode {
  const run = runs.find(({ state, live }) => state === 'running' && live !== null)
  if (!run) return null
  return (
    <Alert className={css.underWay} color="gray" icon={<IconHourglass size={18} />} title="A run is under way">
      <div className={css.waits}>
        <p>
          Ask all the same: the answers come when “<bdi>{run.name}</bdi>” has ended or is paused.
        </p>
        <Button size="xs" variant="default" onClick={() => navigate({ page: 'runs', runId: run.runId })}>
          Go to the run
        </Button>
      </div>
    </Alert>
  )
}

interface TeachProps {
  readonly title: string
  readonly action: string
  readonly onAction: () => void
  readonly children: ReactNode
}

function Teach({ title, action, onAction, children }: TeachProps): ReactNode {
  return (
    <div className={shared.empty}>
      <IconPhotoPlus size={44} stroke={1.4} aria-hidden="true" className={shared.emptyIcon} />
      <h2>{title}</h2>
      <p>{children}</p>
      <Button onClick={onAction}>{action}</Button>
    </div>
  )
}
