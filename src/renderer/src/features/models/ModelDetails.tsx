// One model: what its folders hold part by part, what it needs, whether its encoder is its own, and where it is used.
import { Alert, Anchor, Button, Loader, Text, Title } from '@mantine/core'
import { modals } from '@mantine/modals'
import { IconAlertTriangle, IconFolderSymlink, IconTrash } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { RunId } from '../../../../shared/domain.ts'
import { type ErrorRecord, toErrorRecord } from '../../../../shared/errors.ts'
import type { ModelDetails as Details, ModelDescription } from '../../../../shared/modelDetails.ts'
import type { ModelView } from '../../../../shared/runView.ts'
import { request, useAppState } from '../../api.ts'
import { formatAgo, formatBytes, formatCount, formatMoment, formatParameters } from '../../format.ts'
import { useModelDetails, useModelsChanged } from '../../queries/models.ts'
import { ErrorAlert } from '../../ui/ErrorAlert.tsx'
import { TermTip } from '../../ui/TermTip.tsx'
import { terms } from '../../ui/terms.ts'
import { RunStateMark } from '../runs/RunList.tsx'
import { MemoryNeeds } from './MemoryNeeds.tsx'
import css from './ModelDetails.module.css'
import { Files, Licence } from './ModelFiles.tsx'
import { EncoderMark } from './ModelList.tsx'
import { ModelParts } from './ModelParts.tsx'
import { RelinkDialog } from './RelinkDialog.tsx'

interface ModelDetailsProps {
  readonly model: ModelView
  /** Where the two image towers part, as the check just told; null when they do not or it is not known any more. */
  readonly difference: string | null
  readonly onShowRun: (runId: RunId) => void
}

export function ModelDetails({ model, difference, onShowRun }: ModelDetailsProps): ReactNode {
  const { details, hasFailed, again } = useModelDetails(model.modelId)
  const modelsChanged = useModelsChanged()
  const [isRelinking, setRelinking] = useState(false)
  const [refusal, setRefusal] = useState<ErrorRecord | null>(null)
  const canChange = useAppState().workspace?.readOnlyBecause === null

  const remove = async (): Promise<void> => {
    setRefusal(null)
    try {
      await request('models.remove', { modelId: model.modelId })
      await modelsChanged()
    } catch (thrown) {
      setRefusal(toErrorRecord(thrown))
    }
  }

  return (
    <article className={css.model} aria-label={model.name}>
      <header className={css.head}>
        <div className={css.title}>
          <Title order={2} size="h3">
            {model.name}
          </Title>
          <EncoderMark model={model} />
        </div>
        {canChange && (
          <div className={css.actions}>
            <Button
              size="xs"
              variant="default"
              leftSection={<IconFolderSymlink size={15} />}
              onClick={() => setRelinking(true)}
            >
              Relink…
            </Button>
            <Button
              size="xs"
              variant="default"
              leftSection={<IconTrash size={15} />}
              onClick={() => askToRemove(model, () => void remove())}
            >
              Remove…
            </Button>
          </div>
        )}
      </header>
      {refusal && <ErrorAlert error={withoutPlace(refusal)} />}
      <Places model={model} />
      <EncoderNote model={model} difference={difference} />
      {!details && !hasFailed && (
        <div className={css.waits}>
          <Loader size="xs" aria-hidden="true" />
          <Text size="sm">Reading its folders…</Text>
        </div>
      )}
      {!details && hasFailed && (
        <div className={css.waits}>
          <Text size="sm">Its folders could not be read now.</Text>
          <Button size="xs" variant="default" onClick={again}>
            Read them again
          </Button>
        </div>
      )}
      {details?.problem && (
        <ErrorAlert error={details.problem}>
          {canChange && (
            <div className={css.alertAction}>
              <Button size="xs" variant="default" onClick={() => setRelinking(true)}>
                Say where it is now
              </Button>
            </div>
          )}
        </ErrorAlert>
      )}
      {details?.description && <Description description={details.description} details={details} />}
      {details && <UsedBy details={details} onShowRun={onShowRun} />}
      {isRelinking && (
        <RelinkDialog
          model={model}
          onClose={() => setRelinking(false)}
          onRelinked={async () => {
            await modelsChanged()
            setRelinking(false)
          }}
        />
      )}
    </article>
  )
}

/** The place of a refusal is a number of the workspace, which says nothing to a person. */
function withoutPlace({ where: _, ...error }: ErrorRecord): ErrorRecord {
  return error
}

function Places({ model: { folder, companionFolder, addedAtMs } }: { readonly model: ModelView }): ReactNode {
  return (
    <dl className={css.places}>
      <dt>Model</dt>
      <dd className="path">{folder}</dd>
      <dt>Encoder</dt>
      <dd className="path">{companionFolder ?? 'none: its words cannot be judged by its own eyes'}</dd>
      <dt>Added</dt>
      <dd title={formatMoment(addedAtMs)}>{formatAgo(addedAtMs)}</dd>
    </dl>
  )
}

function EncoderNote({ model, difference }: Pick<ModelDetailsProps, 'model' | 'difference'>): ReactNode {
  if (model.companionFolder === null || model.encoderVerified !== false) return null
  return (
    <Alert
      color="yellow"
      variant="light"
      icon={<IconAlertTriangle size={18} />}
      title="This encoder is not the one that the model sees with."
      className={css.warning}
    >
      Its verdicts would be another model’s. Choose the encoder that its image tower was taken from, with Relink.
      {difference !== null && <div className="notice-where">{difference}</div>}
    </Alert>
  )
}

interface DescriptionProps {
  readonly description: ModelDescription
  readonly details: Details
}

function Description({ description: { model, encoder, needs }, details }: DescriptionProps): ReactNode {
  const facts = [
    ['Architecture', model.architecture],
    ['Parameters', formatParameters(model.parameters)],
    ['Weights', formatBytes(model.weightBytes)],
    ['Images', `${model.imageSize} × ${model.imageSize} pixels, patches of ${model.patchSize}`],
    [terms.imageTokens.name, model.imageTokens === null ? '–' : formatCount(model.imageTokens)],
    ['Longest text', `${formatCount(model.contextTokens)} tokens`],
    ['Vocabulary', formatCount(model.vocabulary)],
  ] as const
  return (
    <>
      <section aria-labelledby="model-parts-title">
        <Title order={3} size="h5" id="model-parts-title" mb={8}>
          What it is made of
        </Title>
        <ModelParts label="the model" folder={model} />
        <dl className={css.facts}>
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name === terms.imageTokens.name ? <TermTip term={terms.imageTokens} /> : name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      {encoder && (
        <section aria-labelledby="encoder-parts-title">
          <Title order={3} size="h5" id="encoder-parts-title" mb={2}>
            The encoder that judges its words
          </Title>
          <Text size="sm" className="quiet" mb={8}>
            {encoder.architecture}, {formatParameters(encoder.parameters)} parameters,{' '}
            {formatBytes(encoder.weightBytes)}
          </Text>
          <ModelParts label="the encoder" folder={encoder} />
        </section>
      )}
      <MemoryNeeds needs={needs} machineBytes={details.machineBytes} />
      <Files model={model} encoder={encoder} weightsSha256={details.weightsSha256} />
      <Licence licence={model.licence} />
    </>
  )
}

function UsedBy({
  details: { runs },
  onShowRun,
}: Pick<DescriptionProps, 'details'> & Pick<ModelDetailsProps, 'onShowRun'>): ReactNode {
  return (
    <section aria-labelledby="used-title">
      <Title order={3} size="h5" id="used-title" mb={4}>
        Where it is used
      </Title>
      {runs.length === 0 ? (
        <Text size="sm" className="quiet">
          No run was made with it yet.
        </Text>
      ) : (
        <ul className={css.used}>
          {runs.map(({ runId, name, state, createdAtMs }) => (
            <li key={runId}>
              <Anchor component="button" type="button" size="sm" onClick={() => onShowRun(runId)}>
                {name}
              </Anchor>
              <RunStateMark state={state} />
              <span className="quiet">{formatAgo(createdAtMs)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function askToRemove({ name }: ModelView, onConfirm: () => void): void {
  modals.openConfirmModal({
    title: `Remove “${name}”?`,
    centered: true,
    children: (
      <Text size="sm">
        The workspace forgets it. Its folders are not touched, and it can be added again at any time.
      </Text>
    ),
    labels: { confirm: 'Remove the model', cancel: 'Keep it' },
    cancelProps: { 'data-autofocus': true },
    confirmProps: { color: 'red.9' },
    closeButtonProps: { 'aria-label': 'Close' },
    onConfirm,
  })
}
