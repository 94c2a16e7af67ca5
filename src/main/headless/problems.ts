// What is thrown, as an error for a person: what the file system says becomes a sentence, what nobody expected says so.
// Before it stands whatever fails, after it run.ts.
import { type ErrorRecord, StudioError, toErrorRecord } from '../../shared/errors.ts'

const diskFull = {
  code: 'app.disk-full',
  message: 'The disk is full, so the result could not be written; what was written before is kept.',
  remedy: 'Free some space, then start the same command again with --resume.',
} as const

const notWritten = {
  code: 'app.not-written',
  message: 'The result cannot be written there.',
  remedy: 'Name a place with --out that you may write to, in a folder that exists.',
} as const

/** By what the system calls it. */
const problems: Readonly<Record<string, Pick<ErrorRecord, 'code' | 'message' | 'remedy'>>> = {
  ...{ ENOSPC: diskFull, EDQUOT: diskFull },
  ...{ EACCES: notWritten, EPERM: notWritten, EROFS: notWritten, EISDIR: notWritten, ENOTDIR: notWritten },
  ...{ ENAMETOOLONG: notWritten, ENOENT: notWritten },
}

export function problemOf(thrown: unknown): ErrorRecord {
  if (thrown instanceof StudioError) return toErrorRecord(thrown)
  const { code, path, message } = (thrown ?? {}) as NodeJS.ErrnoException
  const problem = code === undefined ? undefined : problems[code]
  if (problem) return { ...problem, where: path ?? String(code) }
  return {
    code: 'app.unexpected',
    message: `The program itself failed: ${message ?? String(thrown)}`,
    remedy: 'Try again; if it happens twice, report it with this line and the job.',
  }
}
