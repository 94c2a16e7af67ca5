// The one error type of the product: what happened, what was expected, where, and what to do next.
// Thrown anywhere, carried between processes as an ErrorRecord, shown by the renderer as it is.
import { z } from 'zod'

/** The part of the product that refuses. The text after the dot names the problem, e.g. `weights.truncated`. */
export const errorAreas = [
  'app',
  'device',
  'engine',
  'graph',
  'image',
  'ipc',
  'model',
  'run',
  'tokenizer',
  'weights',
  'workspace',
] as const
export type ErrorArea = (typeof errorAreas)[number]
export type ErrorCode = `${ErrorArea}.${string}`

const codePattern = new RegExp(`^(${errorAreas.join('|')})\\.[a-zA-Z][a-zA-Z0-9-]*$`)
const errorCodeSchema = z.custom<ErrorCode>((value) => typeof value === 'string' && codePattern.test(value))

/** The serialisable form of a {@link StudioError}. */
export const errorRecordSchema = z.object({
  code: errorCodeSchema,
  /** One clear sentence for a person. */
  message: z.string(),
  /** What to do next, as one sentence. */
  remedy: z.string(),
  /** What would have been right, e.g. `at least 8 bytes`. */
  expected: z.string().optional(),
  /** What was there instead. */
  found: z.string().optional(),
  /** File, tensor, node or channel. */
  where: z.string().optional(),
})
export type ErrorRecord = z.infer<typeof errorRecordSchema>

/** Names of hostile files can be as long as the files; a sentence is not. */
const longestText = 1000

function clipped(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText)}…`
}

/** An error with a code, a sentence for a person and a remedy; texts that are very long are cut. */
export class StudioError extends Error implements ErrorRecord {
  override readonly name = 'StudioError'
  readonly code: ErrorCode
  readonly remedy: string
  readonly expected?: string
  readonly found?: string
  readonly where?: string

  constructor(record: ErrorRecord, options?: { cause?: unknown }) {
    super(clipped(record.message), options)
    this.code = record.code
    this.remedy = record.remedy
    if (record.expected !== undefined) this.expected = clipped(record.expected)
    if (record.found !== undefined) this.found = clipped(record.found)
    if (record.where !== undefined) this.where = record.where
  }
}

/** What a person reads when something failed that nobody foresaw; the text of the exception is no sentence for them. */
const unforeseen = {
  'app.unexpected': 'Something went wrong that FiSAO Studio did not foresee.',
  'device.probe-failed': 'The devices of this machine could not be measured.',
  'device.run-failed': 'This device failed while it was computing.',
  'run.unexpected': 'It was ended by something that FiSAO Studio did not foresee; what was stored is kept.',
} as const satisfies Partial<Record<ErrorCode, string>>

/** Any thrown value as an ErrorRecord; what is not a StudioError keeps its text under `fallback`, as what was found. */
export function toErrorRecord(thrown: unknown, fallback: keyof typeof unforeseen = 'app.unexpected'): ErrorRecord {
  if (thrown instanceof StudioError) {
    const { code, message, remedy, expected, found, where } = thrown
    return {
      code,
      message,
      remedy,
      ...(expected !== undefined && { expected }),
      ...(found !== undefined && { found }),
      ...(where !== undefined && { where }),
    }
  }
  return {
    code: fallback,
    message: unforeseen[fallback],
    remedy: 'Try again; if it happens twice, open Help > Show logs and report it.',
    found: clipped(thrown instanceof Error ? thrown.message : String(thrown)),
  }
}
