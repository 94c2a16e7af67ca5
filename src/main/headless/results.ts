// The file that a result goes to: free before the work, written after it. Used by work.ts, inspection.ts, runReport.ts and
// workspaceWork.ts.
import { existsSync, writeFileSync } from 'node:fs'
import { StudioError } from '../../shared/errors.ts'
import type { Outcome } from './progress.ts'

/** @throws StudioError `run.output-taken` */
export function requireFree(where: string): void {
  if (!existsSync(where)) return
  throw new StudioError({
    code: 'run.output-taken',
    message: 'There already is a file in the place where this job would write its result.',
    remedy: 'Name another one with --out, or take the old one away.',
    where,
  })
}

/**
 * A result as JSON, in a new file or, where none is named, for stdout.
 * @param sentences what it is, for a person; the first says what was done
 */
export function writeResult(kind: string, result: unknown, out: string | null, sentences: readonly string[]): Outcome {
  if (out === null) return { kind, said: sentences.join('\n'), out, result }
  writeFileSync(out, `${JSON.stringify(result, null, 1)}\n`, { flag: 'wx' })
  const [first = '', ...rest] = sentences
  return { kind, said: [`${first}; the figures are in ${out}`, ...rest].join('\n'), out, result }
}
