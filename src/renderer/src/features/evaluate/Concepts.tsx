// Object words of an evaluation with what each policy made of them, as bars and numbers; a number leads to its images.
import '../tokens/palette.css'
import { Pagination, Select, Table, Title } from '@mantine/core'
import type { ReactNode } from 'react'
import { z } from 'zod'
import { type Concept, conceptSorts, type EvaluationDetail } from '../../../../shared/evaluations.ts'
import { formatCount, formatPlural } from '../../format.ts'
import { useKept } from '../../place.ts'
import { useConcepts } from '../../queries/evaluations.ts'
import shared from '../../ui/shared.module.css'
import css from './Concepts.module.css'
import { policyName } from './figureText.ts'
import type { Selection } from './selection.ts'

const rowsShown = 25
const sortNames: Readonly<Record<(typeof conceptSorts)[number], string>> = {
  ...{ hallucinated: 'Most hallucinated', change: 'Largest change', mentions: 'Most mentions', name: 'Name' },
}
const placeSchema = z.object({ sort: z.enum(conceptSorts), page: z.int().min(1) })

interface ConceptsProps {
  readonly detail: EvaluationDetail
  readonly onShow: (selection: Selection) => void
}

export function Concepts({ detail, onShow }: ConceptsProps): ReactNode {
  const { evaluationId, policies } = detail
  const [{ sort, page }, setPlace] = useKept(`evaluate.concepts ${evaluationId}`, placeSchema, {
    ...{ sort: 'hallucinated' as const, page: 1 },
  })
  const answer = useConcepts({ evaluationId, sort, offset: (page - 1) * rowsShown, limit: rowsShown })
  if (!answer || answer.total === 0) return null
  const { total, concepts } = answer
  const most = Math.max(1, ...concepts.flatMap(({ byPolicy }) => byPolicy.map(({ hallucinated }) => hallucinated)))
  const hasAnnotations = concepts.some(({ annotated }) => annotated !== null)
  return (
    <section aria-labelledby="concepts-title">
      <div className={css.head}>
        <Title order={3} size="h5" id="concepts-title">
          By object
        </Title>
        <Select
          size="xs"
          label="Order of the objects"
          data={conceptSorts.map((value) => ({ value, label: sortNames[value] }))}
          value={sort}
          allowDeselect={false}
          onChange={(value) => value !== null && setPlace({ sort: value as typeof sort, page: 1 })}
        />
      </div>
      <p className={css.note}>
        Bars: hallucinated mentions{hasAnnotations ? '' : ', by the verifier'}. Choose a number to see its images.
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys */}
      <section className={shared.tableFrame} tabIndex={0} aria-label="By object, table">
        <Table className={shared.looks} verticalSpacing={4} aria-label="By object">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Object</Table.Th>
              {hasAnnotations && <Table.Th className="number">Images that have it</Table.Th>}
              {policies.map((policy, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a policy is its place
                <Table.Th key={i} className={css.policy}>
                  {policyName(policy)}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {concepts.map((concept) => (
              <Table.Tr key={concept.name}>
                <Table.Th scope="row" className={css.name}>
                  {concept.name}
                </Table.Th>
                {hasAnnotations && (
                  <Table.Td className="number">
                    {concept.annotated === null ? '–' : formatCount(concept.annotated)}
                  </Table.Td>
                )}
                {concept.byPolicy.map((_, i) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a policy is its place
                  <Table.Td key={i}>
                    <Counts concept={concept} policy={i} most={most} onShow={onShow} />
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
      {total > rowsShown && (
        <Pagination
          mt="sm"
          size="sm"
          total={Math.ceil(total / rowsShown)}
          value={page}
          onChange={(next) => setPlace({ sort, page: next })}
          getControlProps={(control) => ({ 'aria-label': `${control} page of objects` })}
        />
      )}
    </section>
  )
}

interface CountsProps {
  readonly concept: Concept
  readonly policy: number
  /** The longest bar. */
  readonly most: number
  readonly onShow: (selection: Selection) => void
}

function Counts({ concept: { name, byPolicy }, policy, most, onShow }: CountsProps): ReactNode {
  const counts = byPolicy[policy]
  if (!counts) return null
  const { hallucinated, mentions } = counts
  const link = (select: 'hallucinated' | 'named', count: number, words: string): ReactNode =>
    count === 0 ? (
      <span className="quiet">{words}</span>
    ) : (
      <button
        type="button"
        className={css.link}
        aria-label={`${name}, ${words}, model ${policy + 1}`}
        onClick={() => onShow({ select, concept: name, policy })}
      >
        {words}
      </button>
    )
  return (
    <div className={css.counts}>
      <span className={css.track} aria-hidden="true">
        <span className={css.bar} style={{ width: `${(100 * hallucinated) / most}%` }} />
      </span>
      <span>
        {link('hallucinated', hallucinated, `${formatCount(hallucinated)} hallucinated`)}
        <span className="quiet"> of </span>
        {link('named', mentions, formatPlural(mentions, 'mention'))}
      </span>
    </div>
  )
}
