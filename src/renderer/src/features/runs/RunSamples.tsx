// Samples over time: what a checkpoint says of some images, beside what the model said of them as it came. A click leads to
// the image in the inspector, with both.
import { ActionIcon, Title } from '@mantine/core'
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react'
import { type ReactNode, useMemo, useState } from 'react'
import { imageUrl } from '../../../../shared/contract.ts'
import type { CheckpointView, ResponseView, ResponseViewDetail } from '../../../../shared/describe.ts'
import { type ResponseWord, wordsOf } from '../../../../shared/responseWords.ts'
import type { RunView } from '../../../../shared/runView.ts'
import { type WordChange, wordChanges } from '../../../../shared/wordChanges.ts'
import { useWorkspaceKey } from '../../api.ts'
import { formatCount } from '../../format.ts'
import { navigate } from '../../place.ts'
import { useImage, useResponse, useResponses, useSamples } from '../../queries/describe.ts'
import { TokenText, WordLegend } from '../tokens/TokenText.tsx'
import css from './RunSamples.module.css'

/** Shown at a time. */
const pageSize = 3

interface RunSamplesProps {
  readonly run: RunView
  readonly checkpoints: readonly CheckpointView[]
  readonly chosen: CheckpointView
}

export function RunSamples({ run, checkpoints, chosen }: RunSamplesProps): ReactNode {
  const { runId } = run
  const [page, setPage] = useState(0)
  const samples = useSamples({
    ...{ runId, step: chosen.step, purpose: 'evaluation' as const },
    ...{ offset: page * pageSize, limit: pageSize },
  })
  const first = checkpoints.find(({ step }) => step === 0)
  if (!samples) return null
  const { total, responses } = samples
  // A checkpoint that described fewer images than the last one has no such page.
  if (responses.length === 0 && page > 0) setPage(0)
  const pages = Math.ceil(total / pageSize)
  return (
    <section className={css.samples} aria-labelledby="samples-title">
      <div className={css.head}>
        <Title order={4} size="h6" id="samples-title">
          What it says
        </Title>
        {pages > 1 && (
          <div className={css.way}>
            <ActionIcon
              variant="default"
              aria-label="Samples before"
              disabled={page === 0}
              onClick={() => setPage(page - 1)}
            >
              <IconChevronLeft size={16} />
            </ActionIcon>
            <span className="quiet">{`${formatCount(page * pageSize + 1)} to ${formatCount(Math.min(total, (page + 1) * pageSize))} of ${formatCount(total)}`}</span>
            <ActionIcon
              variant="default"
              aria-label="Samples after"
              disabled={page >= pages - 1}
              onClick={() => setPage(page + 1)}
            >
              <IconChevronRight size={16} />
            </ActionIcon>
          </div>
        )}
      </div>
      {total === 0 ? (
        <p className={css.none}>
          This checkpoint has described no image yet. Validation images are described at each look; “Describe the whole
          library” asks it about all of them.
        </p>
      ) : (
        <>
          <WordLegend isComparison={chosen.step > 0} />
          <ol className={css.list}>
            {responses.map((response) => (
              <li key={response.rolloutId}>
                <Sample
                  response={response}
                  first={chosen.step > 0 ? (first ?? null) : null}
                  chosen={chosen}
                  run={run}
                />
              </li>
            ))}
          </ol>
        </>
      )}
    </section>
  )
}

interface SampleProps {
  readonly run: RunView
  readonly response: ResponseView
  readonly chosen: CheckpointView
  /** The model as it came; null where that is the one that is shown. */
  readonly first: CheckpointView | null
}

function Sample({ run, response, chosen, first }: SampleProps): ReactNode {
  const { imageId } = response
  const w = useWorkspaceKey() ?? ''
  const image = useImage(imageId)
  const stored = useResponses(imageId)
  const earlier = stored?.find(
    ({ checkpointId, purpose }) => first !== null && checkpointId === first.checkpointId && purpose === 'evaluation',
  )
  const after = useWords(useResponse(response.rolloutId))
  const before = useWords(useResponse(earlier?.rolloutId ?? null))
  const changes = useMemo(
    () => (before && after ? wordChanges(namesOf(before.words), namesOf(after.words)) : null),
    [before, after],
  )
  const name = image?.name ?? `image ${imageId}`
  const inspect = (): void =>
    navigate({
      ...{ page: 'inspector', imageId, runId: run.runId },
      ...{ left: first?.checkpointId ?? chosen.checkpointId, right: chosen.checkpointId },
    })
  return (
    <article className={css.sample} aria-label={name}>
      <button type="button" className={css.thumbnail} aria-label={`Inspect ${name}`} title={name} onClick={inspect}>
        <img src={imageUrl.thumbnail(w, imageId)} alt="" />
      </button>
      <div className={css.both}>
        {first && (
          <Said
            title="As it came"
            said={before}
            missing={stored === null ? '' : 'Not described as it came.'}
            changes={changes?.before}
            onInspect={inspect}
          />
        )}
        <Said
          title={chosen.step === 0 ? 'As it came' : `Step ${chosen.step}`}
          said={after}
          missing=""
          changes={changes?.after}
          onInspect={inspect}
        />
      </div>
    </article>
  )
}

interface SaidWords {
  readonly text: string
  readonly words: readonly ResponseWord[]
}

function useWords(response: ResponseViewDetail | null): SaidWords | null {
  return useMemo(
    () =>
      response && {
        text: response.text,
        words: wordsOf({ text: response.text, tokens: response.tokens, spans: response.words }),
      },
    [response],
  )
}

const namesOf = (words: readonly ResponseWord[]): string[] => words.map(({ name }) => name)

interface SaidProps {
  readonly title: string
  readonly said: SaidWords | null
  /** What stands there when nothing was said. */
  readonly missing: string
  readonly changes: readonly WordChange[] | undefined
  readonly onInspect: () => void
}

function Said({ title, said, missing, changes, onInspect }: SaidProps): ReactNode {
  const [chosen, setChosen] = useState<number | null>(null)
  return (
    <div className={css.said}>
      <h5>{title}</h5>
      {said ? (
        // biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: the words in it are the buttons, and Enter on one of them is a click
        <div onClick={({ target }) => target instanceof Element && target.closest('button') && onInspect()}>
          <TokenText
            label={`${title}, what it says`}
            text={said.text}
            words={said.words}
            changes={changes}
            chosen={chosen}
            onChoose={setChosen}
          />
        </div>
      ) : (
        <p className="quiet">{missing}</p>
      )}
    </div>
  )
}
