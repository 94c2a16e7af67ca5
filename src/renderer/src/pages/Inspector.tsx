// Inspector: one image, what the model said of it as it came and aligned, and why each word counts as it does.
import { ActionIcon, Button, Title, Tooltip } from '@mantine/core'
import { IconArrowLeft, IconChevronLeft, IconChevronRight, IconMessageQuestion } from '@tabler/icons-react'
import { type ReactNode, useEffect, useEffectEvent, useState } from 'react'
import { type ImageFacts, type ModelId, modelIdSchema } from '../../../shared/domain.ts'
import type { ModelView, RunView } from '../../../shared/runView.ts'
import { useAskAhead } from '../features/inspector/ahead.ts'
import { Comparison } from '../features/inspector/Comparison.tsx'
import { LookedImage } from '../features/inspector/LookedImage.tsx'
import { moveTo, type Neighbours, useNeighbours } from '../features/inspector/neighbours.ts'
import { usualQuestion, usualRun } from '../features/inspector/questions.ts'
import { SourceSelect } from '../features/inspector/SourceSelect.tsx'
import { policiesOfRun, policyOfModel, type Strengths, useReadOnly } from '../features/inspector/shownPolicies.ts'
import { formatCount } from '../format.ts'
import { navigate, showPage, useKept } from '../place.ts'
import { useCheckpoints, useImage } from '../queries/describe.ts'
import { useModels } from '../queries/models.ts'
import { useRunDetail, useRuns } from '../queries/runs.ts'
import type { RouteTo } from '../route.ts'
import { FirstPicture, Later } from '../ui/Later.tsx'
import css from './Inspector.module.css'

const modelSchema = modelIdSchema.nullable()
const noImages: readonly ImageFacts[] = []

export function Inspector({ route }: { readonly route: RouteTo<'inspector'> }): ReactNode {
  const image = useImage(route.imageId)
  const runs = useRuns()
  const models = useModels()
  // A model that is asked by itself, in place of a run.
  const [modelId, setModelId] = useKept<ModelId | null>('inspector.model', modelSchema, null)
  const neighbours = useNeighbours(route.imageId)
  useAskAhead(neighbours?.images ?? noImages, route)
  const move = (imageId: number | null, by: number): void => {
    if (imageId !== null && neighbours) moveTo({ ...route, imageId }, neighbours.index + by)
  }
  useKeys((key) => {
    if (key === 'PageUp') move(neighbours?.previous ?? null, -1)
    else if (key === 'PageDown') move(neighbours?.next ?? null, 1)
    else if (key === 'Escape') showPage('images')
    else return false
    return true
  })

  const run = runs?.find(({ runId }) => runId === route.runId) ?? (runs ? usualRun(runs) : undefined)
  const model = models?.find((one) => one.modelId === modelId) ?? (run ? undefined : models?.[0])
  return (
    <FirstPicture>
      <div className={css.page}>
        <header className={css.head}>
          <Button
            variant="subtle"
            size="compact-sm"
            leftSection={<IconArrowLeft size={16} aria-hidden="true" />}
            onClick={() => showPage('images')}
          >
            Images
          </Button>
          <Title order={1} size="h4" className={css.name}>
            <bdi>{image?.name ?? 'Image'}</bdi>
          </Title>
          <Way neighbours={neighbours} onMove={move} />
          <Button
            variant="default"
            size="sm"
            leftSection={<IconMessageQuestion size={16} aria-hidden="true" />}
            onClick={() => navigate({ ...route, page: 'try' })}
          >
            Try it
          </Button>
          {runs && models && (
            <SourceSelect
              runs={runs.filter(({ checkpointStep }) => checkpointStep !== null)}
              models={models}
              value={model ? `model ${model.modelId}` : run ? `run ${run.runId}` : null}
              onRun={(runId) => {
                setModelId(null)
                navigate({ page: 'inspector', imageId: route.imageId, runId }, { replaces: true })
              }}
              onModel={setModelId}
            />
          )}
        </header>
        {image === null ? (
          <p className={css.note}>This image is no longer in the workspace.</p>
        ) : image && runs && models ? (
          model ? (
            <OfModel key={image.imageId} image={image} model={model} />
          ) : run ? (
            <OfRun key={`${image.imageId} ${run.runId}`} image={image} run={run} route={route} />
          ) : (
            <NoModel key={image.imageId} image={image} />
          )
        ) : null}
      </div>
    </FirstPicture>
  )
}

interface OfRunProps {
  readonly image: ImageFacts
  readonly run: RunView
  readonly route: RouteTo<'inspector'>
}

/** The model as it came beside the aligned one, or any two checkpoints of a run. */
function OfRun({ image, run, route }: OfRunProps): ReactNode {
  const checkpoints = useCheckpoints(run.runId)
  const detail = useRunDetail(run.runId)
  const readOnly = useReadOnly()
  const [strengths, setStrengths] = useState<Strengths>({})
  if (!checkpoints || !detail) return null
  const policies = policiesOfRun({
    ...{ run, checkpoints, strengths, readOnly, sides: route, onStrengths: setStrengths },
    onSides: (sides) =>
      navigate({ page: 'inspector', imageId: image.imageId, runId: run.runId, ...sides }, { replaces: true }),
  })
  if (!policies) return <p className={css.note}>This run has not stored anything yet.</p>
  return (
    <Comparison
      image={image}
      policies={policies}
      usual={detail.config?.rollout.question ?? usualQuestion}
      encoder={{ from: 'run', runId: run.runId }}
    />
  )
}

/** A model by itself: its words have scores and no verdict. */
function OfModel({ image, model }: { readonly image: ImageFacts; readonly model: ModelView }): ReactNode {
  return (
    <Comparison
      image={image}
      policies={[policyOfModel(model, useReadOnly())]}
      usual={usualQuestion}
      encoder={{ from: 'model', modelId: model.modelId }}
    />
  )
}

/** The image by itself. */
function NoModel({ image }: { readonly image: ImageFacts }): ReactNode {
  return (
    <div className={css.alone}>
      <LookedImage
        image={image}
        evidenceOf={null}
        hasWords={false}
        region={null}
        isCovering={false}
        onRegion={() => undefined}
      />
      <div className={css.note}>
        <p>
          No model is here yet that could say something of {image.name}. Start a run: it says what it sees in your
          images, before and after it was aligned, and you can look at each word here.
        </p>
        <Button onClick={() => showPage('runs')}>Go to Runs</Button>
      </div>
    </div>
  )
}

interface WayProps {
  readonly neighbours: Neighbours | null
  readonly onMove: (imageId: number | null, by: number) => void
}

function Way({ neighbours, onMove }: WayProps): ReactNode {
  if (!neighbours) return null
  const { index, total, previous, next } = neighbours
  return (
    <div className={css.way}>
      <span className={css.step}>
        <Later>
          <Tooltip label="Previous image (Page Up)">
            <ActionIcon
              variant="default"
              aria-label="Previous image"
              disabled={previous === null}
              onClick={() => onMove(previous, -1)}
            >
              <IconChevronLeft size={18} />
            </ActionIcon>
          </Tooltip>
        </Later>
      </span>
      <span className={css.place}>
        {formatCount(index + 1)} of {formatCount(total)}
      </span>
      <span className={css.step}>
        <Later>
          <Tooltip label="Next image (Page Down)">
            <ActionIcon
              variant="default"
              aria-label="Next image"
              disabled={next === null}
              onClick={() => onMove(next, 1)}
            >
              <IconChevronRight size={18} />
            </ActionIcon>
          </Tooltip>
        </Later>
      </span>
    </div>
  )
}

/** Keys that work wherever the focus is, but in a text, a list or a dialog. @param act says whether it knows the key */
function useKeys(act: (key: string) => boolean): void {
  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    const { key, target, defaultPrevented, altKey, ctrlKey, metaKey, shiftKey } = event
    if (defaultPrevented || altKey || ctrlKey || metaKey || shiftKey) return
    if (key === 'Escape' && target instanceof Element && target.closest('input, textarea')) return
    if (document.querySelector('[aria-modal="true"], [aria-haspopup="listbox"][aria-expanded="true"]')) return
    if (act(key)) event.preventDefault()
  })
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onKeyDown(event)
    window.addEventListener('keydown', listener)
    return () => window.removeEventListener('keydown', listener)
  }, [])
}
