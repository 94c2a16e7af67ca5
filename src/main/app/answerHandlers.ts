// What a page may ask a model, and what it reads of responses.
import { type ChannelHandlers, done } from '../ipc.ts'
import type { Describes } from './describes.ts'
import { responsesAt, responsesTo, responseView } from './responseViews.ts'
import type { Workspaces } from './workspaces.ts'

type AnswerChannel = Extract<keyof ChannelHandlers, `describe.${string}` | `responses.${string}` | 'evidence.get'>

interface AnswerParts {
  readonly workspaces: Workspaces
  readonly describes: Describes
}

export function answerHandlers({ workspaces, describes }: AnswerParts): Pick<ChannelHandlers, AnswerChannel> {
  return {
    'describe.start': (question) => describes.ask(question),
    'describe.library': (asked) => describes.describeLibrary(asked),
    'describe.cancel': ({ describeId }) => done(describes.cancel(describeId)),
    'describe.list': () => ({ describes: describes.list() }),
    'describe.coverage': (asked) => describes.coverage(asked, workspaces.requireShown()),
    'responses.toImage': ({ imageId }) => responsesTo(workspaces.requireShown().db, imageId),
    'responses.get': ({ rolloutId }) => responseView(workspaces.requireShown().db, rolloutId),
    'responses.ofStep': ({ offset, limit, ...of }) => responsesAt(workspaces.requireShown().db, of, { offset, limit }),
    'evidence.get': (asked) => describes.evidence(asked),
  }
}
