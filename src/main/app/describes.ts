// Asking models about images: a queue of questions in the open workspace, and what was answered. Before it stands the
// contract (shared/describe.ts), after it the engine and the tables of db/.
import { StudioError } from '../../shared/errors.ts'
import type { ChannelHandlers } from '../ipc.ts'

type DescribeChannel =
  | 'describe.start'
  | 'describe.library'
  | 'describe.cancel'
  | 'describe.list'
  | 'describe.coverage'
  | 'responses.toImage'
  | 'responses.get'
  | 'responses.ofStep'
  | 'evidence.get'
  | 'runs.checkpoints'
  | 'runs.pin'
  | 'runs.rename'

function notYet(): never {
  throw new StudioError({
    code: 'engine.not-yet',
    message: 'This version cannot ask a model about an image yet.',
    remedy: 'Update FiSAO Studio.',
  })
}

export const describeHandlers: Pick<ChannelHandlers, DescribeChannel> = {
  'describe.start': notYet,
  'describe.library': notYet,
  'describe.cancel': notYet,
  'describe.list': () => ({ describes: [] }),
  'describe.coverage': notYet,
  'responses.toImage': notYet,
  'responses.get': notYet,
  'responses.ofStep': notYet,
  'evidence.get': notYet,
  'runs.checkpoints': notYet,
  'runs.pin': notYet,
  'runs.rename': notYet,
}
