// `npx tsx tools/smollm2/writeLogits.ts FOLDER FILE`: what the engine says to a picture of the drawn world, a question and
// an answer, for check.py.
import { writeSafetensors } from '../../src/main/engine/folder/safetensors.ts'
import { OrtSession, tensor } from '../../src/main/engine/graph/ortSession.ts'
import { floatsOf } from '../../src/main/engine/graph/tensor.ts'
import { imageFeeds, padTokens, sequenceFeeds } from '../../src/main/engine/models/shared/sequenceFeeds.ts'
import { openVlm } from '../../src/main/engine/models/vlm.ts'
import { responseGraph } from '../../src/main/engine/models/vlmGraphs.ts'
import { openChatTemplate } from '../../src/main/engine/text/chatTemplate.ts'
import { openTokenizer } from '../../src/main/engine/text/tokenizer.ts'
import { openPictures, pictureEdge, pixelValues } from '../demo-model/pictures.ts'

const [folder, file] = process.argv.slice(2)
if (!folder || !file) throw new Error('usage: npx tsx tools/smollm2/writeLogits.ts FOLDER FILE')
const source = await openVlm(folder)
const { config, architecture } = source
const tokenizer = await openTokenizer(folder)
const template = await openChatTemplate(folder, tokenizer)
const place = architecture.imageLayout(config, { width: pictureEdge, height: pictureEdge })
const prompt = template.promptIds('Describe this image.', place)
const ids = BigInt64Array.from([...prompt, ...tokenizer.encode('A street with a cat.').ids], BigInt)
const pixels = pixelValues(await openPictures('validation', 1), [0])
const batch = padTokens([Array.from(ids, Number)], config.padTokenId, 'right')
const session = await OrtSession.open(responseGraph(source, { images: 'pixels', outputs: ['logits'] }).graph, {
  ...{ device: 'cpu', threads: 1 },
})
const rows = BigInt64Array.from(ids, (_, i) => BigInt(i))
const said = await session.compute({
  ...sequenceFeeds(config.decoder, batch),
  ...imageFeeds(config, batch, [[{ first: 0, count: place.rows }]]),
  pixel_values: tensor('float32', [1, 3, pictureEdge, pictureEdge], pixels),
  temperature: tensor('float32', [], [1]),
  response_rows: tensor('int64', [rows.length], rows),
  response_ids: tensor('int64', [ids.length], ids),
})
await session.release()
const logits = floatsOf(said, 'logits')
const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | BigInt64Array) =>
  new Uint8Array(buffer, byteOffset, byteLength)
await writeSafetensors(file, [
  { name: 'ids', dtype: 'I64', shape: [1, ids.length], bytes: bytesOf(ids) },
  { name: 'pixels', dtype: 'F32', shape: [1, 3, pictureEdge, pictureEdge], bytes: bytesOf(pixels) },
  { name: 'logits', dtype: 'F32', shape: [ids.length, config.decoder.vocabSize], bytes: bytesOf(logits) },
])
