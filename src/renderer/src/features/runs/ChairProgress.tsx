// How far the evaluations of a sweep's runs are that measure CHAIR; nothing once the table tells all of them.
import { Anchor, Button, Progress, Text } from '@mantine/core'
import { IconPlayerStop } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { EvaluationId } from '../../../../shared/domain.ts'
import type { EvaluationView } from '../../../../shared/evaluations.ts'
import { request, useAppState } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { formatPlural } from '../../format.ts'
import { navigate } from '../../place.ts'
import { useEvaluations } from '../../queries/evaluations.ts'
import { isUnderWay, stateSentence } from '../evaluate/evaluationWords.ts'
import css from './Sweep.module.css'

export function ChairProgress({ chair }: { readonly chair: readonly EvaluationId[] }): ReactNode {
  const isReading = useAppState().workspace?.readOnlyBecause !== null
  const asked = (useEvaluations() ?? []).filter(({ evaluationId }) => chair.includes(evaluationId))
  const open = asked.filter(({ state }) => isUnderWay(state))
  const ended = asked.filter(({ state }) => state === 'failed' || state === 'cancelled')
  const done = asked.length - open.length - ended.length
  if (open.length === 0) return ended.length === 0 ? null : <NotMeasured evaluations={ended} />
  // The newest first in the list; carried out from its end.
  const now = open.findLast(({ state }) => state !== 'waiting') ?? (open.at(-1) as EvaluationView)
  const share = now.total === 0 ? 0 : now.done / now.total
  const stop = async (): Promise<void> => {
    // From the last one, so that none of them begins meanwhile.
    for (const { evaluationId } of open) await request('evaluations.cancel', { evaluationId })
  }
  return (
    <section className={css.cells} aria-label="CHAIR">
      <Text size="sm" role="status" aria-label="Evaluations of the sweep">
        CHAIR: {done} of {formatPlural(asked.length, 'evaluation')} done. {now.name}: {stateSentence(now)}
      </Text>
      <Progress value={(100 * (done + share)) / asked.length} size="sm" aria-hidden="true" />
      {!isReading && (
        <div className={css.actions}>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconPlayerStop size={15} aria-hidden="true" />}
            onClick={() => attempt(stop)}
          >
            Stop measuring
          </Button>
        </div>
      )}
    </section>
  )
}

/** With the way to the first of them, whose page says why. */
function NotMeasured({ evaluations }: { readonly evaluations: readonly EvaluationView[] }): ReactNode {
  const failed = evaluations.filter(({ state }) => state === 'failed')
  const shown = (failed.at(-1) ?? evaluations.at(-1)) as EvaluationView
  const cancelled = evaluations.length - failed.length
  const words = [
    ...(failed.length > 0 ? [`${formatPlural(failed.length, 'evaluation')} failed`] : []),
    ...(cancelled > 0 ? [`${formatPlural(cancelled, 'evaluation')} cancelled`] : []),
  ]
  return (
    <Text size="sm" role="status" aria-label="Evaluations of the sweep">
      CHAIR: {words.join(', ')}.{' '}
      <Anchor
        component="button"
        type="button"
        inherit
        onClick={() => navigate({ page: 'evaluate', evaluationId: shown.evaluationId })}
      >
        Show in Evaluate
      </Anchor>
    </Text>
  )
}
