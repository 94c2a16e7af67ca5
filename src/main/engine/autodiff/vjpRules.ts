// The one table of gradients: every op of the catalogue, with its rule, or with the reason why it has none.
// backward.ts asks it. Each rule has its equation above it; `satisfies` keeps the table as complete as the catalogue.
import { StudioError } from '../../../shared/errors.ts'
import type { OpName } from '../graph/ops.ts'
import { elementwiseRules } from './elementwiseRules.ts'
import { layerRules } from './layerRules.ts'
import { movementRules } from './movementRules.ts'
import { reductionRules } from './reductionRules.ts'
import { noGradient, type RuleEntry, type VjpRule } from './rule.ts'

export const vjpRules: Readonly<Record<OpName, RuleEntry>> = {
  ...elementwiseRules,
  ...reductionRules,
  ...movementRules,
  ...layerRules,
} satisfies Record<OpName, RuleEntry>

/** Whether gradients end at the op: constant almost everywhere, or made of integers. */
export function stopsGradient(op: string): boolean {
  return vjpRules[op as OpName] === noGradient
}

/** The op's rule. @throws StudioError `graph.no-gradient-rule`, `graph.gradient-refused`, both naming the op */
export function vjpRule(op: string, where: string): VjpRule {
  const entry = vjpRules[op as OpName] as RuleEntry | undefined
  if (typeof entry === 'function') return entry
  if (entry === undefined || entry === noGradient) {
    throw new StudioError({
      code: 'graph.no-gradient-rule',
      message: `The op ${op} has no gradient rule.`,
      remedy: 'Report this fault: the training graph holds an op that cannot be differentiated.',
      expected: `an entry for ${op} in vjpRules.ts`,
      found: 'none',
      where,
    })
  }
  throw new StudioError({
    code: 'graph.gradient-refused',
    message: `The op ${op} must not be differentiated.`,
    remedy: 'Report this fault: a graph for inference was asked for gradients.',
    expected: entry.instead,
    found: op,
    where,
  })
}
