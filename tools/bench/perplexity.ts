// What 8 and 4 bits cost a real language model: its perplexity on a text, and how far its distributions move from those of 32
// bits, in the two ways that quantised products are computed: as training computes them, and as decoding does, which draws
// responses. All logits of some windows of the text are held at a time. Before it stands tools/smollm2, which makes such a
// folder, and distributions.ts.
//
//   npx tsx tools/bench/perplexity.ts MODEL TEXT [--windows 80] [--tokens 256] [--rows 4] [--threads 1] [--json FILE]
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { OrtSession } from '../../src/main/engine/graph/ortSession.ts'
import { floatsOf } from '../../src/main/engine/graph/tensor.ts'
import { inChosenNumbers } from '../../src/main/engine/models/baseFile.ts'
import { featureFeeds, padTokens, sequenceFeeds } from '../../src/main/engine/models/shared/sequenceFeeds.ts'
import { openVlm } from '../../src/main/engine/models/vlm.ts'
import { promptGraph, responseGraph, stepGraph, type VlmSource } from '../../src/main/engine/models/vlmGraphs.ts'
import { KvCache } from '../../src/main/engine/rollout/kvCache.ts'
import { responseFeeds } from '../../src/main/engine/rollout/responseFeeds.ts'
import { openTokenizer } from '../../src/main/engine/text/tokenizer.ts'
import { type Comparison, compare, type Distributions, distributions, summary } from './distributions.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    windows: { type: 'string', default: '80' },
    tokens: { type: 'string', default: '256' },
    rows: { type: 'string', default: '4' },
    threads: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
})
const [model, text] = positionals
if (!model || !text) throw new Error('usage: npx tsx tools/bench/perplexity.ts MODEL TEXT')
const [windows, tokens, rows] = [values.windows, values.tokens, values.rows].map(Number) as [number, number, number]
const device = { device: 'cpu', threads: Number(values.threads) } as const

/** One way to compute a model's logits. */
interface Way {
  readonly name: string
  /** For each window its logits at all tokens but the last, [tokens - 1, vocab], one after the other. */
  readonly logits: (batch: readonly (readonly number[])[]) => Promise<Float32Array>
  readonly release: () => Promise<void>
}

const folder = mkdtempSync(join(tmpdir(), 'fisao-perplexity-'))
try {
  const stored = await openVlm(model)
  const tokenizer = await openTokenizer(model)
  const paragraphs = readFileSync(text, 'utf8').split(/(?<=\n\n)/)
  const ids = paragraphs.flatMap((paragraph) => [...tokenizer.encode(paragraph).ids])
  if (ids.length < windows * tokens) throw new Error(`The text has ${ids.length} tokens only.`)
  // Spread over the text.
  const starts = Array.from({ length: windows }, (_, i) => Math.floor((i * (ids.length - tokens)) / windows))
  const { vocabSize } = stored.config.decoder
  const plain = await scoring('32 bits', stored)
  const pairs: (readonly [exact: Way, decoded: Way])[] = []
  for (const [name, format] of [
    ['8 bits', 'int8'],
    ['4 bits', 'int4'],
  ] as const) {
    const source = await inChosenNumbers(stored, format, { folder: join(folder, format) })
    pairs.push([await scoring(`${name}, as trained`, source), await decoding(`${name}, as drawn`, source)])
  }
  const found = new Map<string, Comparison[]>()
  for (let from = 0; from < windows; from += rows) {
    const batch = starts.slice(from, from + rows).map((start) => ids.slice(start, start + tokens))
    const next = batch.map((window) => window.slice(1))
    const note = (name: string, of: Distributions, beside: Distributions) => {
      found.set(name, [...(found.get(name) ?? []), ...compare(next, of, beside)])
    }
    const answered = async (way: Way) => distributions(await way.logits(batch), vocabSize)
    const reference = await answered(plain)
    note(plain.name, reference, reference)
    for (const [exact, decoded] of pairs) {
      const [scored, drawn] = [await answered(exact), await answered(decoded)]
      note(exact.name, scored, reference)
      note(decoded.name, drawn, reference)
      note(`${decoded.name}, beside as trained`, drawn, scored)
    }
    const lines = [...found].map(([name, each]) => ({ name, ...summary(each) }))
    console.log(`${Math.min(from + rows, windows)} windows of ${tokens} tokens`)
    console.table(lines)
    if (values.json) writeFileSync(values.json, `${JSON.stringify({ model, text, windows, tokens, lines }, null, 1)}\n`)
  }
  for (const way of [plain, ...pairs.flat()]) await way.release()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** As training and scoring compute. */
async function scoring(name: string, source: VlmSource): Promise<Way> {
  const session = await OrtSession.open(responseGraph(source, { outputs: ['logits'] }).graph, device)
  return {
    name,
    logits: async (batch) => {
      const responses = batch.map(([first, ...rest]) => ({
        ...{ promptIds: [first as number], tokens: rest, imageFeatures: [] },
      }))
      const fetched = { outputs: ['logits'] }
      return floatsOf(await session.compute(responseFeeds(source.config, responses, 1), fetched), 'logits')
    },
    release: () => session.release(),
  }
}

/** As responses are drawn: a prompt of the first token, then a step for each other one. */
async function decoding(name: string, source: VlmSource): Promise<Way> {
  const { config } = source
  const { vocabSize } = config.decoder
  const prompt = await OrtSession.open(promptGraph(source, null), device)
  const step = await OrtSession.open(stepGraph(source, null), { ...device, prepackWeights: true })
  return {
    name,
    logits: async (batch) => {
      const first = padTokens(
        batch.map(([id]) => [id as number]),
        config.padTokenId,
        'left',
      )
      const noImages = batch.map(() => [])
      const begun = await prompt.compute({
        ...sequenceFeeds(config.decoder, first),
        ...featureFeeds(config, first, noImages),
      })
      const cache = new KvCache(config.decoder, begun, first.mask, [...batch.keys()])
      const places = (batch[0] as readonly number[]).length - 1
      const all = new Float32Array(batch.length * places * vocabSize)
      for (let place = 0; ; place++) {
        const answered = place === 0 ? begun : await step.compute(cache.feeds(batch.map((ids) => ids[place] as number)))
        if (place > 0) cache.append(answered)
        const logits = floatsOf(answered, 'logits')
        for (let row = 0; row < batch.length; row++) {
          all.set(logits.subarray(row * vocabSize, (row + 1) * vocabSize), (row * places + place) * vocabSize)
        }
        if (place === places - 1) return all
      }
    },
    release: async () => {
      await prompt.release()
      await step.release()
    },
  }
}
