// What the command's exit code says: one number a kind of trouble, so that a script can tell what to do next. help.ts and the
// man page print this table; run.ts ends with one of its numbers.
import { constants } from 'node:os'
import type { ErrorRecord } from '../../shared/errors.ts'

export interface ExitCode {
  readonly code: number
  /** When, in a few words. */
  readonly means: string
}

export const exitCodes = {
  done: { code: 0, means: 'everything that was asked for is done' },
  internal: { code: 1, means: 'an error of the program itself; please report it' },
  usage: { code: 2, means: 'the command line cannot be understood' },
  job: { code: 3, means: 'the job file or one of its settings cannot be used' },
  input: { code: 4, means: 'a model, image, lexicon, annotation or adapter is missing, has changed or cannot be used' },
  output: { code: 5, means: 'there already is something where the result would go, or it may not be written there' },
  verifier: { code: 6, means: 'the verifier cannot tell right words from hallucinated ones, so nothing was aligned' },
  disk: { code: 7, means: 'the disk is full or failed; what was committed is kept, --resume goes on' },
  workspace: { code: 8, means: 'the workspace is in use, damaged, of another version, or lacks what was asked for' },
  machine: { code: 9, means: 'this machine cannot do it: device, memory, or a Node that is too old' },
  interrupted: { code: 130, means: 'stopped by Ctrl-C (SIGINT); what was committed is kept, --resume goes on' },
  terminated: { code: 143, means: 'stopped by SIGTERM; what was committed is kept, --resume goes on' },
} as const satisfies Readonly<Record<string, ExitCode>>

export type ExitName = keyof typeof exitCodes

/** The kind of an error by its code, or by the beginning of it; the more special ones first. */
const kinds: readonly (readonly [begins: string, kind: ExitName])[] = [
  ['app.usage', 'usage'],
  ['app.old-node', 'machine'],
  ['app.no-resources', 'input'],
  ['app.report-not-written', 'output'],
  ['app.not-written', 'output'],
  ['app.disk-full', 'disk'],
  ['app.output-taken', 'output'],
  ['run.verifier-cannot-tell', 'verifier'],
  ['run.memory', 'machine'],
  ['run.bad-job', 'job'],
  ['run.bad-sweep', 'job'],
  ['run.bad-share', 'job'],
  ['run.share-taken', 'output'],
  ['run.bad-cell', 'workspace'],
  ['run.cell-', 'workspace'],
  ['run.other-order', 'workspace'],
  ['run.other-model', 'workspace'],
  ['run.bad-config', 'job'],
  ['run.non-finite', 'job'],
  ['run.no-annotations', 'job'],
  ['run.same-policy', 'job'],
  ['run.output-taken', 'output'],
  ['run.export-taken', 'output'],
  ['run.export-failed', 'output'],
  ['run.export-no-room', 'disk'],
  ['run.bad-output', 'output'],
  ['run.missing', 'workspace'],
  ['run.no-checkpoint', 'workspace'],
  ['run.no-weights', 'workspace'],
  ['run.damaged-', 'workspace'],
  ['run.bad-checkpoint', 'workspace'],
  ['run.other-job', 'workspace'],
  ['run.no-placebo', 'workspace'],
  ['run.too-few-images', 'input'],
  ['run.images-', 'input'],
  ['run.input-', 'input'],
  ['run.model-changed', 'input'],
  ['run.lexicon', 'input'],
  ['run.annotations', 'input'],
  ['run.pope', 'input'],
  ['run.mme', 'input'],
  ['run.amber', 'input'],
  ['run.no-companion', 'input'],
  ['run.no-images', 'input'],
  ['run.other-adapter', 'input'],
  ['run.other-verifier', 'input'],
  ['weights.disk-full', 'disk'],
  ['weights.cannot-write', 'output'],
  ['weights.folder-taken', 'output'],
  ['workspace.disk-', 'disk'],
  ['workspace.exists', 'output'],
  ['workspace.no-folder', 'output'],
  ['workspace.name-too-long', 'output'],
  ['workspace.read-only', 'output'],
  ['workspace.', 'workspace'],
  ['model.', 'input'],
  ['image.', 'input'],
  ['tokenizer.', 'input'],
  ['weights.', 'input'],
  ['device.', 'machine'],
]

/** Every beginning of an error code that has a kind, for the test that holds them to the codes that there are. */
export const knownBeginnings: readonly string[] = kinds.map(([begins]) => begins)

/** @param stoppedBy the signal that asked the command to end, if one did */
export function exitCodeOf({ code }: ErrorRecord, stoppedBy: NodeJS.Signals | null): number {
  if (code === 'run.cancelled' && stoppedBy !== null) return exitCodeOfSignal(stoppedBy)
  const kind = kinds.find(([begins]) => code.startsWith(begins))?.[1] ?? 'internal'
  return exitCodes[kind].code
}

/** As shells have it: 128 and the signal's number. */
export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}
