// What a page may ask of evaluations and of votes.
import { fileNameOf } from '../../shared/fileName.ts'
import { type ChannelHandlers, done } from '../ipc.ts'
import { askCsvFile, askEvaluationFile } from './dialogs.ts'
import { writeEvaluationCsv } from './evaluationCsv.ts'
import type { Evaluations } from './evaluations.ts'
import { conceptWindow, evaluatedWindow } from './evaluationViews.ts'
import type { Votes } from './votes.ts'
import type { Workspaces } from './workspaces.ts'

type EvaluationChannel = Extract<keyof ChannelHandlers, `evaluations.${string}` | `votes.${string}`>

interface EvaluationParts {
  readonly workspaces: Workspaces
  readonly evaluations: Evaluations
  readonly votes: Votes
}

export function evaluationHandlers({
  workspaces,
  evaluations,
  votes,
}: EvaluationParts): Pick<ChannelHandlers, EvaluationChannel> {
  return {
    'evaluations.list': () => ({ evaluations: evaluations.list() }),
    'evaluations.get': ({ evaluationId }) => evaluations.get(evaluationId),
    'evaluations.create': (request) => evaluations.create(request),
    'evaluations.pick': async ({ what }) => {
      const path = await askEvaluationFile(what)
      return path === null ? null : { path }
    },
    'evaluations.cancel': ({ evaluationId }) => done(evaluations.cancel(evaluationId)),
    'evaluations.resume': ({ evaluationId }) => done(evaluations.resume(evaluationId)),
    'evaluations.delete': ({ evaluationId }) => done(evaluations.delete(evaluationId)),
    'evaluations.concepts': (params) => conceptWindow(workspaces.requireShown().db, params),
    'evaluations.images': (params) => evaluatedWindow(workspaces.requireShown().db, params),
    'evaluations.csv': async ({ evaluationId, table }) => {
      const { db, key } = workspaces.requireShown()
      const detail = evaluations.get(evaluationId)
      const path = await askCsvFile(fileNameOf(`${detail.name} ${table}`, 8, 'Evaluation'))
      if (path === null || workspaces.shown?.key !== key) return null
      await writeEvaluationCsv(db, detail, table, path)
      return { path }
    },
    'votes.begin': (ballot) => votes.begin(ballot),
    'votes.next': (ballot) => votes.next(ballot),
    'votes.cast': ({ pairId, choice }) => done(votes.cast(pairId, choice)),
    'votes.undo': (ballot) => votes.undo(ballot),
    'votes.counts': (ballot) => votes.counts(ballot),
  }
}
