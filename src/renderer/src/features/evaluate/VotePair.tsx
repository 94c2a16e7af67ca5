// One image and two responses on drawn sides, and the vote by mouse or keys: ←, →, ↓ or space for no difference, U for undo.
import { Button, Kbd, Text } from '@mantine/core'
import { IconArrowBackUp, IconArrowDown, IconArrowLeft, IconArrowRight } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from 'react'
import { imageUrl } from '../../../../shared/contract.ts'
import type { VoteChoice } from '../../../../shared/domain.ts'
import type { Ballot, BallotView } from '../../../../shared/evaluations.ts'
import { request, useAppState, useWorkspaceKey } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { formatPlural } from '../../format.ts'
import { useVotePair } from '../../queries/evaluations.ts'
import { keys } from '../../queries/keys.ts'
import css from './Voting.module.css'
import { voteKey } from './voteKeys.ts'

interface VotePairProps {
  readonly ballot: Ballot
  readonly view: BallotView
}

export function VotePair({ ballot, view }: VotePairProps): ReactNode {
  const w = useWorkspaceKey()
  const { workspace } = useAppState()
  const client = useQueryClient()
  const pair = useVotePair(ballot)
  const isBusy = useRef(false)
  const [isShownBusy, setShownBusy] = useState(false)
  const isReadOnly = workspace?.readOnlyBecause !== null
  const votes = view.one + view.other + view.ties

  /** One thing at a time: a key that is held down votes once a pair. */
  const carryOut = (work: () => Promise<void>): void => {
    if (isBusy.current || isReadOnly) return
    isBusy.current = true
    setShownBusy(true)
    attempt(() =>
      work().finally(async () => {
        await client.invalidateQueries({ queryKey: keys.votes(w) })
        isBusy.current = false
        setShownBusy(false)
      }),
    )
  }
  const cast = (choice: VoteChoice): void => {
    if (!pair) return
    carryOut(async () => void (await request('votes.cast', { pairId: pair.pairId, choice })))
  }
  const undo = (): void => {
    if (votes === 0) return
    carryOut(async () => void (await request('votes.undo', ballot)))
  }
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    const meant = voteKey(event)
    if (meant === null) return
    event.preventDefault()
    if (meant === 'undo') undo()
    else cast(meant)
  })
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onKey(event)
    document.addEventListener('keydown', listener)
    return () => document.removeEventListener('keydown', listener)
  }, [])

  if (pair === undefined || w === null) return null
  return (
    <section aria-label="Vote" aria-busy={isShownBusy} className={css.vote}>
      <p className={css.stand} role="status">
        {formatPlural(votes, 'vote')} cast, {formatPlural(view.left, 'pair')} left.
      </p>
      {pair === null ? (
        <p className={css.over}>
          {votes > 0
            ? 'Every pair has its vote. The counts are below.'
            : 'There is no pair to vote on yet: let both models describe the same images first.'}
        </p>
      ) : (
        <>
          <img className={css.picture} src={imageUrl.full(w, pair.imageId)} alt="What both responses are about" />
          <p className={css.ask}>Which response says more truly what the picture shows?</p>
          <div className={css.sides}>
            <Side name="Left" text={pair.left} isOff={isReadOnly} arrow={IconArrowLeft} onChoose={() => cast('left')} />
            <Side
              name="Right"
              text={pair.right}
              isOff={isReadOnly}
              arrow={IconArrowRight}
              onChoose={() => cast('right')}
            />
          </div>
        </>
      )}
      <div className={css.keys}>
        {pair && (
          <Button
            variant="default"
            disabled={isReadOnly}
            rightSection={<ArrowKey icon={IconArrowDown} />}
            onClick={() => cast('tie')}
          >
            No difference
          </Button>
        )}
        <Button
          variant="subtle"
          disabled={isReadOnly || votes === 0}
          leftSection={<IconArrowBackUp size={16} aria-hidden="true" />}
          rightSection={<Kbd size="xs">U</Kbd>}
          onClick={undo}
        >
          Undo
        </Button>
      </div>
      {isReadOnly && <Text size="sm">{workspace?.readOnlyBecause}</Text>}
    </section>
  )
}

interface SideProps {
  readonly name: 'Left' | 'Right'
  readonly text: string
  readonly isOff: boolean
  readonly arrow: typeof IconArrowLeft
  readonly onChoose: () => void
}

function Side({ name, text, isOff, arrow, onChoose }: SideProps): ReactNode {
  return (
    <article className={css.side} aria-label={`${name} response`}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys */}
      <section className={css.text} tabIndex={0} aria-label={`${name} response, its text`}>
        <p dir="auto">{text.trim() === '' ? <span className="quiet">It said nothing.</span> : text}</p>
      </section>
      <Button fullWidth disabled={isOff} rightSection={<ArrowKey icon={arrow} />} onClick={onChoose}>
        {name} is better
      </Button>
    </article>
  )
}

/** Drawn: the arrows of a font for code are specks at this size. */
function ArrowKey({ icon: Icon }: { readonly icon: typeof IconArrowLeft }): ReactNode {
  return (
    <Kbd size="xs" className={css.arrowKey}>
      <Icon size={13} stroke={2.4} aria-hidden="true" />
    </Kbd>
  )
}
