// How many images have a response of both policies, and the way to those that are missing.
import { Button, Progress, Text, VisuallyHidden } from '@mantine/core'
import { IconMessage, IconPlayerStop } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { greedy, type LibraryView, type PolicyChoice } from '../../../../shared/describe.ts'
import type { Ballot, BallotView } from '../../../../shared/evaluations.ts'
import { request, useAppState } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { formatCount, formatPlural, formatSpan } from '../../format.ts'
import { useDescribes } from '../../queries/describe.ts'
import { useRunDetail } from '../../queries/runs.ts'
import css from './Voting.module.css'

interface MissingResponsesProps {
  readonly ballot: Ballot
  readonly view: BallotView
}

export function MissingResponses({ ballot, view }: MissingResponsesProps): ReactNode {
  const { both, alike, prompt, missing } = view
  return (
    <section aria-label="Responses" className={css.missing}>
      <Text size="sm">
        {formatPlural(both, 'image')} {both === 1 ? 'has' : 'have'} a response of both
        {alike > 0 && `; ${formatCount(alike)} of them ${alike === 1 ? 'is' : 'are'} alike and left out`}. Asked: “
        {prompt}”
      </Text>
      <Missing label="one model" policy={ballot.one} missing={missing.one} />
      <Missing label="the other model" policy={ballot.other} missing={missing.other} />
    </section>
  )
}

interface MissingProps {
  readonly label: string
  readonly policy: PolicyChoice
  readonly missing: BallotView['missing']['one']
}

function Missing({ label, policy, missing }: MissingProps): ReactNode {
  const { workspace } = useAppState()
  const describes = useDescribes()
  const usualStrength = useRunDetail(policy.from === 'run' ? policy.runId : null)?.config?.evaluation.strength
  const library = describes.findLast((one) => one.about === 'library' && isOf(one, policy))
  if (library?.about === 'library' && isUnderWay(library)) return <UnderWay label={label} library={library} />
  if (missing.count === 0 || workspace?.readOnlyBecause !== null) return null
  // The whole library is described with the strength of its run alone; at another one, images are asked about singly.
  const isWhole = policy.from === 'run' && (policy.step === 0 || policy.strength === usualStrength)
  const count = isWhole ? missing.count : missing.first.length
  const start = (): void =>
    attempt(async () => {
      if (isWhole) await request('describe.library', { runId: policy.runId, step: policy.step, query: null })
      else {
        for (const imageId of missing.first) {
          await request('describe.start', { imageId, policy, prompt: null, decoding: greedy, region: null })
        }
      }
    })
  return (
    <div className={css.missingOne}>
      <Text size="sm" className="quiet">
        {formatPlural(missing.count, 'image')} without a response of {label}.
      </Text>
      <Button size="xs" variant="default" leftSection={<IconMessage size={15} aria-hidden="true" />} onClick={start}>
        Describe {count === missing.count ? '' : 'the first '}
        {formatPlural(count, 'image')}
        <VisuallyHidden>&nbsp;with {label}</VisuallyHidden>
      </Button>
      {library?.state === 'failed' && library.error && (
        <Text size="sm" role="alert">
          {library.error.message} {library.error.remedy}
        </Text>
      )}
    </div>
  )
}

function isOf({ runId, step }: LibraryView, policy: PolicyChoice): boolean {
  return policy.from === 'run' && policy.runId === runId && policy.step === step
}

function isUnderWay({ state }: LibraryView): boolean {
  return state === 'waiting' || state === 'opening' || state === 'running'
}

function UnderWay({ label, library }: { readonly label: string; readonly library: LibraryView }): ReactNode {
  const { describeId, done, total, remainingMs, waitsFor } = library
  return (
    <div className={css.missingOne}>
      <Progress className={css.bar} value={total === 0 ? 0 : (100 * done) / total} size="sm" aria-hidden="true" />
      <Text size="sm" role="status">
        {waitsFor ??
          `Describing with ${label}: ${formatCount(done)} of ${formatCount(total)}${remainingMs === null ? '' : `, ${formatSpan(remainingMs)} left`}`}
      </Text>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconPlayerStop size={15} aria-hidden="true" />}
        onClick={() => attempt(() => request('describe.cancel', { describeId }))}
      >
        Cancel
      </Button>
    </div>
  )
}
