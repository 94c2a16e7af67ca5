// Evaluations of the open workspace: a queue that the engine carries out one at a time, and what pages read of them. Before
// it stands the contract (shared/evaluations.ts), after it the engine and the tables of db/.
import { StudioError } from '../../shared/errors.ts'
import type { ChannelHandlers } from '../ipc.ts'

type EvaluationChannel = Extract<keyof ChannelHandlers, `evaluations.${string}` | `votes.${string}`>

function notYet(): never {
  throw new StudioError({
    code: 'engine.not-yet',
    message: 'This version cannot evaluate yet.',
    remedy: 'Update FiSAO Studio.',
  })
}

export const evaluationHandlers: Pick<ChannelHandlers, EvaluationChannel> = {
  'evaluations.list': () => ({ evaluations: [] }),
  'evaluations.get': notYet,
  'evaluations.create': notYet,
  'evaluations.pick': notYet,
  'evaluations.cancel': notYet,
  'evaluations.resume': notYet,
  'evaluations.delete': notYet,
  'evaluations.concepts': notYet,
  'evaluations.images': notYet,
  'evaluations.csv': notYet,
  'votes.begin': notYet,
  'votes.next': notYet,
  'votes.cast': notYet,
  'votes.undo': notYet,
  'votes.counts': notYet,
}
