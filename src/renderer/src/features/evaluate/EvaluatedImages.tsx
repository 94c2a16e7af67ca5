// The images behind a figure, with what each policy said of them word by word.
import { Badge, Button, Pagination, Select, Title } from '@mantine/core'
import { IconArrowLeft } from '@tabler/icons-react'
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { imageUrl } from '../../../../shared/contract.ts'
import type { EvaluatedImage, EvaluationDetail } from '../../../../shared/evaluations.ts'
import type { ShownWord } from '../../../../shared/responseWords.ts'
import { useWorkspaceKey } from '../../api.ts'
import { formatPlural } from '../../format.ts'
import { navigate } from '../../place.ts'
import { useEvaluatedImages } from '../../queries/evaluations.ts'
import { TokenText } from '../tokens/TokenText.tsx'
import css from './EvaluatedImages.module.css'
import { policyName } from './figureText.ts'
import { type Selection, selectionTitle } from './selection.ts'

const imagesShown = 24

interface EvaluatedImagesProps {
  readonly detail: EvaluationDetail
  readonly selection: Selection
  readonly onSelect: (selection: Selection) => void
  readonly onBack: () => void
}

export function EvaluatedImages({ detail, selection, onSelect, onBack }: EvaluatedImagesProps): ReactNode {
  const { evaluationId, policies } = detail
  const [page, setPage] = useState(1)
  const title = useRef<HTMLHeadingElement>(null)
  useEffect(() => title.current?.focus({ preventScroll: true }), [])
  const answer = useEvaluatedImages({
    evaluationId,
    ...selection,
    offset: (page - 1) * imagesShown,
    limit: imagesShown,
  })
  const names = useMemo(() => policies.map(policyName), [policies])
  const choose = (part: Partial<Selection>): void => {
    setPage(1)
    onSelect({ ...selection, ...part })
  }
  const isAnnotated = detail.kind !== 'annotation-free'
  const isYesNo = detail.kind === 'pope' || detail.kind === 'mme'
  return (
    <section aria-labelledby="evaluated-title" className={css.images}>
      <Button
        size="compact-sm"
        variant="subtle"
        className={css.back}
        leftSection={<IconArrowLeft size={16} aria-hidden="true" />}
        onClick={onBack}
      >
        All figures
      </Button>
      <Title order={3} size="h5" id="evaluated-title" ref={title} tabIndex={-1} className={css.title}>
        {selectionTitle(selection, names[selection.policy] ?? '')}
        {answer && <span className="quiet"> · {formatPlural(answer.total, isYesNo ? 'question' : 'image')}</span>}
      </Title>
      <div className={css.choices}>
        <Select
          size="xs"
          label="Show"
          data={[
            { value: 'all', label: 'All' },
            { value: 'hallucinated', label: 'With a hallucination' },
            { value: 'named', label: 'With the object named' },
            ...(isAnnotated ? [{ value: 'missed', label: 'With the object missed' }] : []),
            ...(isYesNo || detail.kind === 'amber'
              ? [
                  { value: 'right', label: 'Answered right' },
                  { value: 'wrong', label: 'Answered wrong' },
                ]
              : []),
          ]}
          value={selection.select}
          allowDeselect={false}
          onChange={(value) => value !== null && choose({ select: value as Selection['select'] })}
        />
        <Select
          size="xs"
          label="Of"
          data={names.map((name, i) => ({ value: `${i}`, label: name }))}
          value={`${selection.policy}`}
          allowDeselect={false}
          onChange={(value) => value !== null && choose({ policy: Number(value) })}
        />
        {selection.concept !== null && (
          <Button size="xs" variant="default" onClick={() => choose({ concept: null })}>
            Any object, not only “{selection.concept}”
          </Button>
        )}
      </div>
      {detail.kind !== 'mme' && (
        <p className={css.facts}>
          A line and a tick: in the image, by {isAnnotated ? 'the annotations' : 'the verifier'}; a broken line and a
          cross: not in it.
        </p>
      )}
      {answer?.total === 0 && <p className="quiet">No image is behind this.</p>}
      <ul className={css.list}>
        {answer?.images.map((image) => (
          <li key={image.item}>
            <Card detail={detail} image={image} names={names} />
          </li>
        ))}
      </ul>
      {answer && answer.total > imagesShown && (
        <Pagination
          size="sm"
          total={Math.ceil(answer.total / imagesShown)}
          value={page}
          onChange={setPage}
          getControlProps={(control) => ({ 'aria-label': `${control} page of images` })}
        />
      )}
    </section>
  )
}

interface CardProps {
  readonly detail: EvaluationDetail
  readonly image: EvaluatedImage
  readonly names: readonly string[]
}

function Card({ detail, image, names }: CardProps): ReactNode {
  const w = useWorkspaceKey()
  const { item, name, imageId, question, objects, label, answers } = image
  return (
    <article className={css.card} aria-label={name}>
      {w !== null && (
        <img
          className={css.picture}
          src={imageUrl.evaluated(w, detail.evaluationId, item)}
          alt={name}
          loading="lazy"
          decoding="async"
        />
      )}
      <div className={css.said}>
        <p className={css.name}>
          <bdi>{name}</bdi>
          {imageId !== null && (
            <Button
              size="compact-xs"
              variant="subtle"
              aria-label={`Inspect ${name}`}
              onClick={() => navigate({ page: 'inspector', imageId })}
            >
              Inspect
            </Button>
          )}
        </p>
        {objects && <p className={css.facts}>In it, by the annotations: {objects.join(', ') || 'nothing'}</p>}
        {label && (
          <p className={css.facts}>
            {question} <strong>Right answer: {label}.</strong>
          </p>
        )}
        {answers.map((answer, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: an answer is its policy's place
          <Said key={i} name={names[i] ?? ''} answer={answer} />
        ))}
      </div>
    </article>
  )
}

interface SaidProps {
  readonly name: string
  readonly answer: EvaluatedImage['answers'][number]
}

function Said({ name, answer }: SaidProps): ReactNode {
  const [chosen, setChosen] = useState<number | null>(null)
  const words = useMemo(
    () =>
      (answer?.words ?? [])
        .toSorted((a, b) => a.start - b.start)
        .map(
          ({ start, end, name: word, score, isHallucinated }, index): ShownWord => ({
            ...{ index, name: word, start, end, score },
            verdict: isHallucinated ? 'hallucinated' : 'grounded',
          }),
        ),
    [answer],
  )
  return (
    <div className={css.answer}>
      <p className={css.policy}>
        {name}
        {answer?.isRight != null && (
          <Badge size="sm" variant="default" className={css.right} data-right={answer.isRight}>
            {answer.isRight ? 'right' : 'wrong'}
          </Badge>
        )}
      </p>
      {answer === null ? (
        <p className="quiet">No answer.</p>
      ) : answer.text.trim() === '' ? (
        <p className="quiet">It said nothing.</p>
      ) : (
        <TokenText
          label={`Response of ${name}`}
          text={answer.text}
          words={words}
          chosen={chosen}
          onChoose={setChosen}
        />
      )}
    </div>
  )
}
