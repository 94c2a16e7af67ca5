// AMBER as a measure: descriptions and yes-or-no queries of one file, scored by the benchmark's own lists. Before it stand
// eval/amber.ts and answers of a policy, after it evaluateWorkspace.ts.
import type { ItemAnswer } from '../../db/evaluations.ts'
import { type AmberFigure, amberColumns, amberFigures, amberGroups, scoreDescription } from '../eval/amber.ts'
import { type AmberAnnotation, type AmberBenchmark, type AmberQuery, amberAnswer } from '../eval/amberFiles.ts'
import { figuresOfSums } from '../eval/bootstrap.ts'
import type { WeightedFigure } from '../eval/comparePolicies.ts'
import { amberTruthSchema } from './evaluationItems.ts'
import { conceptsOf, inOrder, type Measuring, type NamedFigure } from './measures.ts'

export function amberMeasuring(benchmark: AmberBenchmark): Measuring {
  return {
    judge({ truth }, { text }) {
      const annotation = benchmark.annotations[amberTruthSchema.parse(truth).id - 1] as AmberAnnotation
      if (annotation.type === 'generative') {
        const counted = scoreDescription(text, annotation, benchmark)
        const found = counted.found.map(({ word, isHallucinated }) => ({ name: word, isHallucinated }))
        return {
          ...{ words: [], answer: null, isRight: null, named: new Set(found.map(({ name }) => name)).size },
          hallucinated: counted.hallucinatedWords,
          missed: counted.annotatedObjects - counted.coveredObjects,
          ...{ counts: [], concepts: conceptsOf(found, null) },
        }
      }
      const said = amberAnswer(text)
      const answer = said === 'Yes' ? 'yes' : said === 'No' ? 'no' : 'other'
      const isHallucinated = answer === 'yes' && annotation.truth === 'no'
      return {
        ...{ words: [], answer, isRight: answer === annotation.truth, named: Number(answer === 'yes') },
        ...{ hallucinated: Number(isHallucinated), missed: Number(annotation.truth === 'yes' && answer !== 'yes') },
        ...{ counts: [], concepts: [] },
      }
    },
    collector() {
      const answers: { readonly query: AmberQuery; readonly text: string }[] = []
      return {
        add: (answer) => answers.push({ query: queryOf(answer), text: answer.text }),
        figures: () => figuresOf(answers, benchmark),
      }
    },
  }
}

function queryOf({ truth, name, question }: ItemAnswer): AmberQuery {
  return { id: amberTruthSchema.parse(truth).id, image: name, query: question ?? '' }
}

/** Images stand in the order in which queries first have them, as evaluateWorkspace.ts numbers them too. */
function figuresOf(
  answers: readonly { readonly query: AmberQuery; readonly text: string }[],
  benchmark: AmberBenchmark,
): NamedFigure[] {
  const responses = answers.map(({ query: { id }, text }) => {
    const isDescription = benchmark.annotations[id - 1]?.type === 'generative'
    return { id, response: isDescription ? text : amberAnswer(text) }
  })
  const columns = amberColumns(
    answers.map(({ query }) => query),
    responses,
    benchmark,
  )
  const figures = figuresOfSums(columns, amberFigures) as Readonly<Record<AmberFigure, WeightedFigure>>
  const kinds = new Set(answers.map(({ query: { id } }) => benchmark.annotations[id - 1]?.type))
  const hasDescriptions = kinds.has('generative')
  const hasQueries = kinds.size > Number(hasDescriptions)
  // The first figure sums up for all of them, so it is called whatever there is.
  const first = Object.keys(figures)[0] as AmberFigure
  const summing = (of: WeightedFigure): WeightedFigure => {
    return (weights) => {
      figures[first](weights)
      return of(weights)
    }
  }
  const described = inOrder('amber', {
    ...(hasDescriptions && { chair: figures.chair, cover: figures.cover, hal: figures.hal, cog: figures.cog }),
    ...(hasDescriptions && hasQueries && { score: summing(figures.score) }),
  })
  const groups = (Object.keys(amberGroups) as (keyof typeof amberGroups)[]).flatMap((group) => {
    if (!hasQueries) return []
    const of = (ratio: 'accuracy' | 'precision' | 'recall' | 'f1') => figures[`${group}.${ratio}`]
    const ratios = { accuracy: of('accuracy'), precision: of('precision'), recall: of('recall'), f1: of('f1') }
    return inOrder('amber', ratios, group)
  })
  const all = [...described, ...groups]
  return all.map((figure, i) => (i === 0 ? { ...figure, of: summing(figure.of) } : figure))
}
