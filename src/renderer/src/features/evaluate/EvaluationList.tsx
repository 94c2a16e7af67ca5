// The evaluations of the workspace, newest first: state, progress, time left, first figures.
import { Progress } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck, IconClock, IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { EvaluationId } from '../../../../shared/domain.ts'
import type { EvaluationState, EvaluationView } from '../../../../shared/evaluations.ts'
import { formatAgo, formatPlural } from '../../format.ts'
import css from './EvaluationList.module.css'
import { isUnderWay, stateNames, stateSentence } from './evaluationWords.ts'
import { infoOf, valueText } from './figureText.ts'

const icons: Readonly<Record<EvaluationState, typeof IconClock>> = {
  waiting: IconClock,
  opening: IconPlayerPlay,
  answering: IconPlayerPlay,
  counting: IconPlayerPlay,
  done: IconCircleCheck,
  cancelled: IconPlayerStop,
  failed: IconAlertTriangle,
}

interface EvaluationListProps {
  readonly evaluations: readonly EvaluationView[]
  readonly shownId: EvaluationId
  readonly onShow: (evaluationId: EvaluationId) => void
}

export function EvaluationList({ evaluations, shownId, onShow }: EvaluationListProps): ReactNode {
  return (
    <nav className={css.list} aria-label="Evaluations">
      {evaluations.map((evaluation) => (
        <button
          key={evaluation.evaluationId}
          type="button"
          className={css.item}
          {...(evaluation.evaluationId === shownId && { 'aria-current': 'true' as const })}
          onClick={() => onShow(evaluation.evaluationId)}
        >
          <span className={css.head}>
            <span className={css.name}>{evaluation.name}</span>
            <StateMark state={evaluation.state} />
          </span>
          {isUnderWay(evaluation.state) && <EvaluationProgress evaluation={evaluation} />}
          <span className={css.facts}>
            {evaluation.state === 'done'
              ? `${formatPlural(evaluation.policies.length, 'model')} · ${formatAgo(evaluation.endedAtMs ?? evaluation.createdAtMs)}`
              : stateSentence(evaluation)}
          </span>
          {evaluation.headline.map(({ name, group, byPolicy }) => {
            const info = infoOf(evaluation.kind, name)
            return (
              <span key={`${name} ${group}`} className={css.figure}>
                <span>{info.title}</span>
                <span>{byPolicy.map((estimate) => valueText(estimate, info)).join(' / ')}</span>
              </span>
            )
          })}
        </button>
      ))}
    </nav>
  )
}

export function StateMark({ state }: { readonly state: EvaluationState }): ReactNode {
  const Icon = icons[state]
  return (
    <span className={css.state} data-state={state}>
      <Icon size={15} aria-hidden="true" />
      {stateNames[state]}
    </span>
  )
}

export function EvaluationProgress({ evaluation }: { readonly evaluation: EvaluationView }): ReactNode {
  const { done, total, state } = evaluation
  return (
    <Progress
      value={total === 0 ? 0 : (100 * done) / total}
      size="sm"
      aria-hidden="true"
      color={state === 'waiting' ? 'gray' : 'violet'}
    />
  )
}
