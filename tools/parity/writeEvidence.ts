// Evidence for Python: exports a step of a run as the app does and writes what this engine says with the model as it
// came, with the adapter and with the merged model. check_evidence.py reads it with transformers and peft.
//
//   npx tsx tools/parity/writeEvidence.ts WORKSPACE.fisao OUT [--step N] [--images 8]
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runtimeEnvironment, setUp } from '../../scripts/setup.ts'
import { type TensorToWrite, writeSafetensors } from '../../src/main/engine/folder/safetensors.ts'
import { OrtSession } from '../../src/main/engine/graph/ortSession.ts'
import { tensorOf } from '../../src/main/engine/graph/tensor.ts'
import { openImageProcessor } from '../../src/main/engine/image/imageProcessor.ts'
import { readLexicon } from '../../src/main/engine/jobs/readLexicon.ts'
import { imagesOfRun, openStoredRun, policyAtStep } from '../../src/main/engine/jobs/storedRun.ts'
import { exportRun } from '../../src/main/engine/jobs/workspaceJobs.ts'
import { loraFeeds } from '../../src/main/engine/models/shared/lora.ts'
import { responseGraph } from '../../src/main/engine/models/vlmGraphs.ts'
import { responseFeeds, seenAgain } from '../../src/main/engine/rollout/responseFeeds.ts'
import { AlignmentModels, type ImageResponse } from '../../src/main/engine/run/models.ts'
import { splitImages } from '../../src/main/engine/run/schedule.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { step: { type: 'string' }, images: { type: 'string', default: '8' } },
})
const [workspace, out] = positionals
if (!workspace || !out) throw new Error('which workspace, and where to?')
// The binding of SQLite that the development runtime was set up with.
Object.assign(process.env, runtimeEnvironment(await setUp()))
const { openWorkspace } = await import('../../src/main/db/open.ts')
const { listRuns } = await import('../../src/main/db/runs.ts')
const { listCheckpoints } = await import('../../src/main/db/checkpoints.ts')

const db = openWorkspace(workspace)
const runId = listRuns(db)[0]?.runId
if (runId === undefined) throw new Error('the workspace has no run')
const best = listCheckpoints(db, runId).find(({ isPinned }) => isPinned)?.step
const step = Number(values.step ?? best)
const { config, seed, folders } = openStoredRun(db, runId)
mkdirSync(out, { recursive: true })
await exportRun(db, { runId, step, strength: 1, folder: out, merged: true })

const images = splitImages(imagesOfRun(db, runId), config, seed).validation.slice(0, Number(values.images))
const lexicon = await readLexicon(join(import.meta.dirname, '../../resources/lexicons/scene-objects.json'))
const options = { device: 'cpu', threads: 1, config, lexicon } as const
const models = await AlignmentModels.open(folders, options)
const policies = { base: 0, adapted: step }
const said = new Map<string, readonly ImageResponse[]>()
for (const [name, at] of Object.entries(policies)) {
  said.set(
    name,
    (await models.respond(images, policyAtStep(db, runId, at, config, models.source), { rng: null })).responses,
  )
}
const merged = await AlignmentModels.open({ ...folders, model: join(out, 'merged') }, options)
said.set(
  'merged',
  (await merged.respond(images, policyAtStep(db, runId, 0, config, merged.source), { rng: null })).responses,
)
await merged.release()

const adapted = said.get('adapted') as readonly ImageResponse[]
const { adapter } = policyAtStep(db, runId, step, config, models.source)
const { graph } = responseGraph(models.source, { adapter: { rank: adapter.rank }, outputs: ['logits'] })
const session = await OrtSession.open(graph, { device: 'cpu', threads: 1 })
const results = await session.compute({
  ...responseFeeds(models.source.config, await seenAgain(adapted), 1),
  ...loraFeeds(adapter),
})
await session.release()

const { architecture, config: ofModel } = models.source
const { vision, decoder } = ofModel
const processor = await openImageProcessor(folders.model)
const pixels = await Promise.all(images.map(({ path }) => processor.pixelsOfFile(path)))
const count = images.length
const tileValues = vision.channels * vision.imageSize ** 2
const tiles = pixels.map(({ values }) => values.length / tileValues)
await writeSafetensors(join(out, 'evidence.safetensors'), [
  // [tiles, channels, size, size], those of one image after the other.
  floatsOf(
    'pixel_values',
    [tiles.reduce((sum, each) => sum + each, 0), vision.channels, vision.imageSize, vision.imageSize],
    concatenate(pixels.map(({ values }) => values)),
  ),
  // [rows, vocab], the response tokens of one row after the other.
  floatsOf(
    'logits',
    [adapted.flatMap(({ tokens }) => tokens).length, decoder.vocabSize],
    tensorOf(results, 'logits', 'float32').values,
  ),
])
const responses = Object.fromEntries([...said].map(([name, list]) => [name, list.map(({ tokens }) => tokens)]))
const evidence = {
  ...{ model: folders.model, step, question: config.rollout.question, maxNewTokens: config.rollout.maxNewTokens },
  ...{ images: images.map(({ path }) => path), promptIds: adapted.map(({ promptIds }) => promptIds), responses },
  // Of models that cut images into tiles how many each has, and its width and height for those that ask for them.
  tiles: processor.config.tiling || processor.config.anyResolution ? tiles : null,
  sizes: architecture.arrangement ? pixels.map(({ size: { width, height } }) => [width, height]) : null,
}
writeFileSync(join(out, 'evidence.json'), `${JSON.stringify(evidence)}\n`)
await models.release()
db.close()
const alike = responses['adapted']?.filter((tokens, i) => `${tokens}` === `${responses['merged']?.[i]}`).length
console.log(`step ${step}: ${alike} of ${count} greedy responses of the merged model are those of the adapter`)

function floatsOf(name: string, shape: number[], floats: Float32Array): TensorToWrite {
  return { name, dtype: 'F32', shape, bytes: new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength) }
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let start = 0
  for (const part of parts) {
    whole.set(part, start)
    start += part.length
  }
  return whole
}
