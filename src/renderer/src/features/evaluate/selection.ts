// Which images of an evaluation are looked at, as a value that a page keeps and as a title. Pure.
import { z } from 'zod'
import { evaluatedSelectionSchema } from '../../../../shared/evaluations.ts'

export const selectionSchema = z.object({
  select: evaluatedSelectionSchema,
  /** Null for any object. */
  concept: z.string().max(200).nullable(),
  /** Place of a policy. */
  policy: z.int().min(0),
})
export type Selection = z.infer<typeof selectionSchema>

export const wholeSelection: Selection = { select: 'all', concept: null, policy: 0 }

/** @param policy the policy's name */
export function selectionTitle({ select, concept }: Selection, policy: string): string {
  const what = concept === null ? 'an object' : `“${concept}”`
  switch (select) {
    case 'all':
      return 'All images'
    case 'hallucinated':
      return `${policy}: ${what} hallucinated`
    case 'named':
      return `${policy}: ${what} named`
    case 'missed':
      return `${policy}: ${what} missed`
    case 'right':
      return `${policy}: answered right`
    case 'wrong':
      return `${policy}: answered wrong`
  }
}
