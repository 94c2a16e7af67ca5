// Evaluate: policies measured on images with intervals, and people's blind votes between two of them.
import { Button, Tabs, Title } from '@mantine/core'
import { IconChartBar, IconPlus } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { z } from 'zod'
import type { EvaluationId } from '../../../shared/domain.ts'
import { useAppState } from '../api.ts'
import { EvaluationDetails } from '../features/evaluate/EvaluationDetails.tsx'
import { EvaluationList } from '../features/evaluate/EvaluationList.tsx'
import { NewEvaluation } from '../features/evaluate/NewEvaluation.tsx'
import { Voting } from '../features/evaluate/Voting.tsx'
import { usualRun } from '../features/inspector/questions.ts'
import { navigate, showPage, useKept } from '../place.ts'
import { useEvaluations } from '../queries/evaluations.ts'
import { useModels } from '../queries/models.ts'
import { useRuns } from '../queries/runs.ts'
import type { RouteTo } from '../route.ts'
import shared from '../ui/shared.module.css'
import css from './Evaluate.module.css'

const tabSchema = z.enum(['evaluations', 'votes'])

export function Evaluate({ route }: { readonly route: RouteTo<'evaluate'> }): ReactNode {
  const evaluations = useEvaluations()
  const runs = useRuns()
  const models = useModels()
  const { workspace } = useAppState()
  const [tab, setTab] = useKept('evaluate.tab', tabSchema, 'evaluations')
  const [isAsking, setAsking] = useState(false)
  const show = (evaluationId: EvaluationId): void => navigate({ page: 'evaluate', runId: route.runId, evaluationId })
  const shown = evaluations?.find(({ evaluationId }) => evaluationId === route.evaluationId) ?? evaluations?.[0]
  const run = runs?.find(({ runId }) => runId === route.runId) ?? (runs ? usualRun(runs) : undefined)
  const isReadOnly = workspace?.readOnlyBecause !== null
  return (
    <div className={css.evaluate}>
      <header className={shared.pageHead}>
        <Title order={1} size="h3">
          Evaluate
        </Title>
        {tab === 'evaluations' && evaluations && evaluations.length > 0 && (
          <Button
            leftSection={<IconPlus size={18} aria-hidden="true" />}
            disabled={isReadOnly}
            onClick={() => setAsking(true)}
          >
            New evaluation
          </Button>
        )}
      </header>
      <Tabs
        value={tab}
        onChange={(value) => setTab(tabSchema.parse(value))}
        keepMounted={false}
        className={css.tabs}
        classNames={{ panel: css.panel }}
      >
        <Tabs.List px={20}>
          <Tabs.Tab value="evaluations">Evaluations</Tabs.Tab>
          <Tabs.Tab value="votes">Blind votes</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="evaluations">
          {evaluations?.length === 0 && (
            <NoEvaluations isReadOnly={isReadOnly} hasModel={models?.length !== 0} onNew={() => setAsking(true)} />
          )}
          {evaluations && shown && (
            <div className={shared.columns}>
              <EvaluationList evaluations={evaluations} shownId={shown.evaluationId} onShow={show} />
              <EvaluationDetails key={shown.evaluationId} evaluation={shown} />
            </div>
          )}
        </Tabs.Panel>
        <Tabs.Panel value="votes">{runs && models && <Voting runs={runs} models={models} run={run} />}</Tabs.Panel>
      </Tabs>
      {isAsking && runs && models && (
        <NewEvaluation
          runs={runs}
          models={models}
          run={run}
          onClose={() => setAsking(false)}
          onMade={(evaluationId) => {
            show(evaluationId)
            setAsking(false)
          }}
        />
      )}
    </div>
  )
}

interface NoEvaluationsProps {
  readonly isReadOnly: boolean
  readonly hasModel: boolean
  readonly onNew: () => void
}

function NoEvaluations({ isReadOnly, hasModel, onNew }: NoEvaluationsProps): ReactNode {
  return (
    <div className={shared.empty}>
      <IconChartBar size={44} stroke={1.4} aria-hidden="true" className={shared.emptyIcon} />
      <h2>Measure before and after</h2>
      <p>
        Compare a model as it came with its checkpoints: with your own annotations (CHAIR), with the benchmarks POPE,
        MME and AMBER, or without any. Every figure comes with its interval, and leads to the images behind it.
      </p>
      {hasModel ? (
        <Button leftSection={<IconPlus size={18} aria-hidden="true" />} disabled={isReadOnly} onClick={onNew}>
          New evaluation
        </Button>
      ) : (
        <>
          <p>There is no model in this workspace yet. It is added with a run.</p>
          <Button onClick={() => showPage('runs')}>To the runs</Button>
        </>
      )}
    </div>
  )
}
