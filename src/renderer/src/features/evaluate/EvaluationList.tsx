// The evaluations of the workspace, newest first: state, progress, time left, first figures.
import { Progress } from '@mantine/core'
import { IconAlertTriangle, IconCircleCheck, IconClock, IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { EvaluationId } from '../../../../shared/domain.ts'
import type { EvaluationState, EvaluationView } from '../../../../shared/evaluations.ts'
import { formatAgo, formatPlural } from '../../format.ts'
import { Facts, Item, ItemList, StateMark, type Tone } from '../../ui/ItemList.tsx'
import css from './EvaluationList.module.css'
import { isUnderWay, stateNames, stateSentence } from './evaluationWords.ts'
import { infoOf, valueText } from './figureText.ts'

const marks: Readonly<Record<EvaluationState, { icon: typeof IconClock; tone: Tone }>> = {
  waiting: { icon: IconClock, tone: 'waits' },
  opening: { icon: IconPlayerPlay, tone: 'works' },
  answering: { icon: IconPlayerPlay, tone: 'works' },
  counting: { icon: IconPlayerPlay, tone: 'works' },
  done: { icon: IconCircleCheck, tone: 'good' },
  cancelled: { icon: IconPlayerStop, tone: 'waits' },
  failed: { icon: IconAlertTriangle, tone: 'bad' },
}

interface EvaluationListProps {
  readonly evaluations: readonly EvaluationView[]
  readonly shownId: EvaluationId
  readonly onShow: (evaluationId: EvaluationId) => void
}

export function EvaluationList({ evaluations, shownId, onShow }: EvaluationListProps): ReactNode {
  return (
    <ItemList label="Evaluations" shownId={shownId}>
      {evaluations.map((evaluation) => (
        <Item
          key={evaluation.evaluationId}
          name={evaluation.name}
          mark={<EvaluationStateMark state={evaluation.state} />}
          isShown={evaluation.evaluationId === shownId}
          onShow={() => onShow(evaluation.evaluationId)}
        >
          {isUnderWay(evaluation.state) && <EvaluationProgress evaluation={evaluation} />}
          <Facts>
            {evaluation.state === 'done'
              ? `${formatPlural(evaluation.policies.length, 'model')} · ${formatAgo(evaluation.endedAtMs ?? evaluation.createdAtMs)}`
              : stateSentence(evaluation)}
          </Facts>
          {evaluation.headline.map(({ name, group, byPolicy }) => {
            const info = infoOf(evaluation.kind, name)
            return (
              <span key={`${name} ${group}`} className={css.figure}>
                <span>{info.title}</span>
                <span>{byPolicy.map((estimate) => valueText(estimate, info)).join(' / ')}</span>
              </span>
            )
          })}
        </Item>
      ))}
    </ItemList>
  )
}

export function EvaluationStateMark({ state }: { readonly state: EvaluationState }): ReactNode {
  return <StateMark {...marks[state]}>{stateNames[state]}</StateMark>
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
