// Responses of a question in a file of their own, a line of JSON each, where there is no workspace: the store of
// the command without a window. Before it stands describeJob.ts, after it whoever reads the lines.
import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs'
import { z } from 'zod'
import { spanRecordSchema, tokenRecordSchema } from '../../../shared/domain.ts'
import { StudioError } from '../../../shared/errors.ts'
import type { Policy } from '../align/policy.ts'
import type { Described } from '../run/describe.ts'
import type { EmbeddingStore } from '../run/verifier.ts'
import type { DescribedStore, DescribeJobStore } from './jobStore.ts'

const lineSchema = z.object({
  imageId: z.int().positive(),
  path: z.string(),
  sha256: z.string(),
  text: z.string(),
  /** False when labels and rewards of the words mean nothing. */
  isJudged: z.boolean(),
  tokens: z.array(tokenRecordSchema),
  spans: z.array(spanRecordSchema),
})

export class DescribedFile implements DescribeJobStore {
  readonly began = null
  readonly #path: string
  readonly #known: ReadonlySet<number>

  /** @throws StudioError `run.bad-output` when the file holds something else than responses */
  constructor(path: string) {
    this.#path = path
    this.#known = existsSync(path) ? imagesIn(path) : new Set()
  }

  embeddings(): EmbeddingStore {
    return { get: () => undefined, put: () => undefined, flush: () => undefined }
  }

  policyAt(): Policy {
    throw new StudioError({
      code: 'run.no-checkpoint',
      message: 'The job names a step of a run, which lies in a workspace and not in a file.',
      remedy: 'Export that step, and name the exported adapter in the job.',
      where: this.#path,
    })
  }

  describedOf(): DescribedStore {
    return {
      has: (imageId) => this.#known.has(imageId),
      commit: (described) => appendFileSync(this.#path, described.map(lineOf).join(''), { flush: true }),
    }
  }
}

function lineOf({ image: { imageId, path, sha256 }, ...said }: Described): string {
  return `${JSON.stringify(lineSchema.parse({ imageId, path, sha256, ...said }))}\n`
}

/** The images that have a line; what a kill left of the last one is cut off. */
function imagesIn(path: string): ReadonlySet<number> {
  const bytes = readFileSync(path)
  const end = bytes.lastIndexOf('\n') + 1
  const lines = bytes.subarray(0, end).toString().split('\n').slice(0, -1)
  const images = lines.map((line, i) => {
    const read = lineSchema.safeParse(parsed(line))
    if (read.success) return read.data.imageId
    throw new StudioError({
      code: 'run.bad-output',
      message: 'The file that this job would go on with holds something else than its responses.',
      remedy: 'Name another file with --out.',
      where: `${path}, line ${i + 1}`,
    })
  })
  truncateSync(path, end)
  return new Set(images)
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
