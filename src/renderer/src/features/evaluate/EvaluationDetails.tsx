// One evaluation: how far it is, its figures, what could not be judged, its objects and the images behind them.
import { Alert, Button, Text, Title } from '@mantine/core'
import { modals } from '@mantine/modals'
import { IconFileSpreadsheet, IconInfoCircle, IconPlayerPlay, IconPlayerStop, IconTrash } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { joinFindings } from '../../../../shared/annotationJoin.ts'
import type { EvaluationDetail, EvaluationView, evaluationTables } from '../../../../shared/evaluations.ts'
import { request, useAppState } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { formatCount, formatPlural, shortenPath } from '../../format.ts'
import { useKept } from '../../place.ts'
import { useEvaluation } from '../../queries/evaluations.ts'
import { ErrorAlert } from '../../ui/ErrorAlert.tsx'
import shared from '../../ui/shared.module.css'
import { Concepts } from './Concepts.tsx'
import { EvaluatedImages } from './EvaluatedImages.tsx'
import css from './EvaluationDetails.module.css'
import { EvaluationProgress, EvaluationStateMark } from './EvaluationList.tsx'
import { filesOf, isUnderWay, noEstimateSentence, stateSentence } from './evaluationWords.ts'
import { FigureTable } from './FigureTable.tsx'
import { policyName } from './figureText.ts'
import { type Selection, selectionSchema, wholeSelection } from './selection.ts'

export function EvaluationDetails({ evaluation }: { readonly evaluation: EvaluationView }): ReactNode {
  const { evaluationId, name, state, error } = evaluation
  const detail = useEvaluation(evaluationId)
  const [selection, setSelection] = useKept<Selection | null>(
    `evaluate.images ${evaluationId}`,
    selectionSchema.nullable(),
    null,
  )
  return (
    <article className={css.details} aria-labelledby="evaluation-title">
      <header className={css.head}>
        <div className={css.names}>
          <Title order={2} size="h4" id="evaluation-title" className={css.title}>
            {name}
          </Title>
          <EvaluationStateMark state={state} />
        </div>
        <Actions evaluation={evaluation} />
      </header>
      {isUnderWay(state) && (
        <div className={css.progress}>
          <EvaluationProgress evaluation={evaluation} />
          <Text size="sm" role="status">
            {stateSentence(evaluation)}
          </Text>
        </div>
      )}
      {state === 'cancelled' && (
        <Text size="sm">{stateSentence(evaluation)} It goes on with what is missing when you resume it.</Text>
      )}
      {error && <ErrorAlert error={error} />}
      {detail &&
        (selection && detail.state === 'done' ? (
          <EvaluatedImages
            detail={detail}
            selection={selection}
            onSelect={setSelection}
            onBack={() => setSelection(null)}
          />
        ) : (
          <>
            <Facts detail={detail} />
            <Unjudged detail={detail} />
            {detail.state === 'done' && (
              <>
                <FigureTable detail={detail} />
                <Tables detail={detail} onShow={() => setSelection(wholeSelection)} />
                <Concepts detail={detail} onShow={setSelection} />
              </>
            )}
          </>
        ))}
    </article>
  )
}

function Actions({ evaluation: { evaluationId, name, state } }: { readonly evaluation: EvaluationView }): ReactNode {
  const { workspace } = useAppState()
  if (workspace?.readOnlyBecause !== null) return null
  const askToDelete = (): string =>
    modals.openConfirmModal({
      title: `Delete “${name}”?`,
      children: (
        <Text size="sm">Its answers and figures are removed from the workspace. No file of yours is touched.</Text>
      ),
      labels: { confirm: 'Delete', cancel: 'Keep it' },
      confirmProps: { color: 'red.9' },
      cancelProps: { 'data-autofocus': true },
      closeButtonProps: { 'aria-label': 'Close' },
      onConfirm: () => attempt(() => request('evaluations.delete', { evaluationId })),
    })
  return (
    <div className={css.actions}>
      {isUnderWay(state) && (
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlayerStop size={15} aria-hidden="true" />}
          onClick={() => attempt(() => request('evaluations.cancel', { evaluationId }))}
        >
          Cancel
        </Button>
      )}
      {(state === 'cancelled' || state === 'failed') && (
        <Button
          size="xs"
          leftSection={<IconPlayerPlay size={15} aria-hidden="true" />}
          onClick={() => attempt(() => request('evaluations.resume', { evaluationId }))}
        >
          Resume
        </Button>
      )}
      <Button
        size="xs"
        variant="default"
        leftSection={<IconTrash size={15} aria-hidden="true" />}
        onClick={askToDelete}
      >
        Delete…
      </Button>
    </div>
  )
}

function Facts({ detail }: { readonly detail: EvaluationDetail }): ReactNode {
  const { policies, images, questions, prompt, judgedBy, maxNewTokens, request: asked } = detail
  const files = filesOf(asked.measure)
  return (
    <dl className={css.facts}>
      <div>
        <dt>Models</dt>
        <dd>
          {policies.map((policy, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a policy is its place
            <div key={i}>{policyName(policy)}</div>
          ))}
        </dd>
      </div>
      {images > 0 && (
        <div>
          <dt>Images</dt>
          <dd>
            {formatCount(images)}
            {questions !== images && `, ${formatPlural(questions, 'question')}`}
          </dd>
        </div>
      )}
      {prompt !== null && (
        <div>
          <dt>Question</dt>
          <dd>{prompt}</dd>
        </div>
      )}
      {judgedBy !== null && (
        <div>
          <dt>Judged by</dt>
          <dd>the verifier of “{judgedBy}”</dd>
        </div>
      )}
      {files.length > 0 && (
        <div>
          <dt>Files</dt>
          {files.map((file) => (
            <dd key={file} title={file}>
              <bdi>{shortenPath(file)}</bdi>
            </dd>
          ))}
        </div>
      )}
      {maxNewTokens > 0 && (
        <div>
          <dt>Longest response</dt>
          <dd>{formatPlural(maxNewTokens, 'token')}</dd>
        </div>
      )}
    </dl>
  )
}

/** What could not be judged, and why. */
function Unjudged({ detail: { annotations, skipped, noEstimate } }: { readonly detail: EvaluationDetail }): ReactNode {
  const none = noEstimateSentence(noEstimate)
  const findings = [...(none ? [none] : []), ...(annotations ? joinFindings(annotations, 'evaluation') : [])]
  if (findings.length === 0 && skipped.count === 0) return null
  return (
    <Alert
      variant="light"
      color="gray"
      icon={<IconInfoCircle size={18} aria-hidden="true" />}
      title="What could not be judged"
      className={css.unjudged}
    >
      <ul>
        {findings.map((finding) => (
          <li key={finding}>{finding}</li>
        ))}
        {skipped.count > 0 && (
          <li>
            {formatPlural(skipped.count, 'image')} could not be read and {skipped.count === 1 ? 'takes' : 'take'} no
            part.
            <details>
              <summary>Which</summary>
              <ul>
                {skipped.first.map(({ path, code }) => (
                  <li key={path} className="path">
                    {path} ({code})
                  </li>
                ))}
              </ul>
            </details>
          </li>
        )}
      </ul>
    </Alert>
  )
}

const tableNames: Readonly<Record<(typeof evaluationTables)[number], string>> = {
  ...{ figures: 'Figures', concepts: 'Objects', images: 'Images and words' },
}

interface TablesProps {
  readonly detail: EvaluationDetail
  /** Shows all images. */
  readonly onShow: () => void
}

function Tables({ detail: { evaluationId, concepts }, onShow }: TablesProps): ReactNode {
  const [saved, setSaved] = useState<string | null>(null)
  const save = (table: (typeof evaluationTables)[number]): void =>
    attempt(async () => {
      const result = await request('evaluations.csv', { evaluationId, table })
      if (result) setSaved(result.path)
    })
  const tables = (['figures', 'concepts', 'images'] as const).filter((one) => one !== 'concepts' || concepts > 0)
  return (
    <div className={`${shared.dialogActions} ${css.tables}`}>
      <Button size="xs" variant="light" onClick={onShow}>
        See the images and words
      </Button>
      {tables.map((table) => (
        <Button
          key={table}
          size="xs"
          variant="default"
          leftSection={<IconFileSpreadsheet size={15} aria-hidden="true" />}
          onClick={() => save(table)}
        >
          {tableNames[table]} as CSV…
        </Button>
      ))}
      <span role="status" className="path">
        {saved !== null && `Saved as ${saved}`}
      </span>
    </div>
  )
}
