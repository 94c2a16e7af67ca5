// Blind votes: two policies are chosen, what is missing is described, people choose between their responses without knowing
// whose they are, and the counts are shown when they are asked for.
import { Button, Text } from '@mantine/core'
import { IconEye, IconEyeOff } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { z } from 'zod'
import { type PolicyChoice, policySchema } from '../../../../shared/describe.ts'
import type { Ballot, BallotView } from '../../../../shared/evaluations.ts'
import type { ModelView, RunView } from '../../../../shared/runView.ts'
import { useStudioEvent, useWorkspaceKey } from '../../api.ts'
import { formatCount, formatFigure, formatPlural } from '../../format.ts'
import { useKept } from '../../place.ts'
import { useCheckpoints } from '../../queries/describe.ts'
import { useBallot } from '../../queries/evaluations.ts'
import { keys } from '../../queries/keys.ts'
import { useRunDetail } from '../../queries/runs.ts'
import shared from '../../ui/shared.module.css'
import { policyName } from './figureText.ts'
import { MissingResponses } from './MissingResponses.tsx'
import { PolicyFields } from './PolicyFields.tsx'
import { anotherPolicy, hasDoubles, usualPolicies } from './policies.ts'
import { VotePair } from './VotePair.tsx'
import css from './Voting.module.css'

const choiceSchema = z.object({ one: policySchema, other: policySchema }).nullable()

interface VotingProps {
  readonly runs: readonly RunView[]
  readonly models: readonly ModelView[]
  /** Whose checkpoints are proposed. */
  readonly run: RunView | undefined
}

export function Voting({ runs, models, run }: VotingProps): ReactNode {
  const w = useWorkspaceKey()
  const client = useQueryClient()
  const checkpoints = useCheckpoints(run?.runId ?? null)
  const strength = useRunDetail(run?.runId ?? null)?.config?.evaluation.strength
  const [chosen, setChosen] = useKept('evaluate.ballot', choiceSchema, null)
  const isKnown = !run || (checkpoints !== null && strength !== undefined)
  const usual = isKnown ? usualPolicies(run, checkpoints ?? [], strength ?? 1, models) : []
  const [one, other] = chosen
    ? [chosen.one, chosen.other]
    : [usual[0], usual[1] ?? anotherPolicy(usual, checkpoints ?? [], models)]
  const isPair = one !== undefined && other !== undefined && !hasDoubles([one, other])
  const ballot: Ballot | null = isPair ? { one, other, prompt: null } : null
  const view = useBallot(ballot)
  useStudioEvent('describe.changed', ({ state }) => {
    if (state === 'done' || state === 'cancelled') void client.invalidateQueries({ queryKey: keys.votes(w) })
  })
  if (!isKnown) return null
  if (one === undefined || other === undefined) {
    return (
      <div className={shared.empty}>
        <h2>Votes need two models</h2>
        <p>Align a model, or add another one: then two responses to one image can stand side by side.</p>
      </div>
    )
  }
  return (
    <div className={css.voting}>
      <section aria-label="What is compared" className={css.policies}>
        <PolicyFields
          label="One model"
          runs={runs}
          models={models}
          value={one}
          onChange={(next) => setChosen({ one: next, other })}
        />
        <PolicyFields
          label="The other model"
          runs={runs}
          models={models}
          value={other}
          onChange={(next) => setChosen({ one, other: next })}
        />
      </section>
      {!isPair && <Text role="status">Both are the same. Choose another checkpoint, strength or model.</Text>}
      {ballot && view && (
        <>
          <MissingResponses ballot={ballot} view={view} />
          <VotePair key={JSON.stringify(ballot)} ballot={ballot} view={view} />
          <Counts
            key={`counts ${JSON.stringify(ballot)}`}
            view={view}
            names={[nameOf(one, runs, models), nameOf(other, runs, models)]}
          />
        </>
      )}
    </div>
  )
}

function nameOf(policy: PolicyChoice, runs: readonly RunView[], models: readonly ModelView[]): string {
  const name =
    policy.from === 'run'
      ? runs.find(({ runId }) => runId === policy.runId)?.name
      : models.find(({ modelId }) => modelId === policy.modelId)?.name
  return policyName({ policy, name: name ?? '' })
}

interface CountsProps {
  readonly view: BallotView
  readonly names: readonly [one: string, other: string]
}

/** Hidden until a person asks, so that nobody votes by them. */
function Counts({ view, names }: CountsProps): ReactNode {
  const [isShown, setShown] = useState(false)
  const { one, other, ties, pValue } = view
  const votes = one + other + ties
  return (
    <section className={css.counts} aria-label="Counts">
      <Button
        size="xs"
        variant="default"
        leftSection={isShown ? <IconEyeOff size={15} aria-hidden="true" /> : <IconEye size={15} aria-hidden="true" />}
        aria-expanded={isShown}
        disabled={votes === 0}
        onClick={() => setShown(!isShown)}
      >
        {isShown ? 'Hide the counts' : 'Show the counts'}
      </Button>
      {isShown && votes > 0 && (
        <>
          <dl className={css.tally}>
            {[
              [names[0], one],
              [names[1], other],
              ['No difference', ties],
            ].map(([name, count]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{formatCount(Number(count))}</dd>
              </div>
            ))}
          </dl>
          <Text size="sm">{testSentence(one, other, pValue)}</Text>
        </>
      )}
    </section>
  )
}

function testSentence(one: number, other: number, pValue: number | null): string {
  if (pValue === null) return 'All votes so far are for no difference.'
  const p = pValue < 0.001 ? 'p < 0.001' : `p = ${formatFigure(pValue, 3)}`
  const finding = pValue < 0.05 ? 'People prefer one of the two.' : 'No clear preference.'
  return `${finding} Sign test on ${formatPlural(one + other, 'vote')} without ties, two-sided: ${p}.`
}
