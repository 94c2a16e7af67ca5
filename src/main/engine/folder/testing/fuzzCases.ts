// The cases of the fuzz: a copy of a model folder with one file damaged or made a link, and the calls that must use or
// refuse it. mutateWeights.ts and mutateText.ts damage, fuzzChild.ts runs.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { StudioError } from '../../../../shared/errors.ts'
import { openImageProcessor } from '../../image/imageProcessor.ts'
import { readLexicon } from '../../jobs/readLexicon.ts'
import { readDualEncoderConfig } from '../../models/companion/config.ts'
import { openDualEncoder } from '../../models/companion/encoder.ts'
import { describeVlm } from '../../models/registry.ts'
import { openVlm } from '../../models/vlm.ts'
import { Rng } from '../../rng.ts'
import { openChatTemplate } from '../../text/chatTemplate.ts'
import { openTokenizer, type Tokenizer } from '../../text/tokenizer.ts'
import { readAdapter } from '../peft.ts'
import { readTensorBytes } from '../safetensors.ts'
import { openWeights, type Weights } from '../weights.ts'
import { oneIn, pick } from './mutateBytes.ts'
import { mutateTemplate, mutateTokenizer } from './mutateText.ts'
import { mutateJson } from './mutateTree.ts'
import { mutateIndex, mutateSafetensors } from './mutateWeights.ts'

const vlms = ['clip-llama', 'siglip-qwen2', 'clip-mistral', 'clip-llama-bf16']
const encoders = ['clip-encoder', 'siglip-encoder']
const adapters = ['clip-llama/adapter', 'siglip-qwen2/adapter', 'clip-mistral/adapter']
const sharded = 'clip-mistral'
const canary = 'canary.json'

/** The kinds of files, in the order of the cases. */
export const kinds = [
  ...['safetensors', 'index', 'config', 'tokenizer', 'template', 'tokenizer-config', 'processor', 'adapter', 'link'],
  ...['safetensors', 'config', 'tokenizer', 'template', 'lexicon'],
] as const
type Kind = (typeof kinds)[number]

/** A folder with a damaged file in it. */
export interface FuzzCase {
  readonly kind: Kind
  /** What was done to what, for a person who looks at a failure. */
  readonly what: string
  readonly folder: string
  /** Folders whose files may be opened. */
  readonly allowed: readonly string[]
  /** A link in it leads where it must not be followed, to a file that would be accepted. */
  readonly leadsOut: boolean
  readonly calls: readonly (readonly [name: string, run: () => Promise<unknown>])[]
}

/** Whole folders to take from, and the place where cases are made. @param root an empty folder */
export function prepareSources(root: string, fixtures: string, lexicon: string): void {
  for (const name of [...vlms, ...encoders, ...adapters]) {
    const target = join(root, 'whole', name)
    fs.mkdirSync(target, { recursive: true })
    for (const file of fs.readdirSync(join(fixtures, name), { withFileTypes: true })) {
      if (file.isFile() && !file.name.startsWith('expected')) {
        fs.copyFileSync(join(fixtures, name, file.name), join(target, file.name))
      }
    }
  }
  fs.mkdirSync(join(root, 'whole/lexicon'))
  fs.copyFileSync(lexicon, join(root, 'whole/lexicon/lexicon.json'))
  if (process.platform !== 'win32') execFileSync('mkfifo', [join(root, 'whole/pipe')])
}

/** Case `number` of a seed; the same whatever was made before it. */
export function makeCase(root: string, seed: number, number: number): FuzzCase {
  const rng = new Rng({ seed }).fork(number)
  const kind = kinds[number % kinds.length] as Kind
  const source = sourceOf(rng, kind)
  const place = join(root, `case-${number}`)
  const folder = join(place, 'models--a--b', 'snapshots', 'f00d')
  fs.mkdirSync(folder, { recursive: true })
  const whole = join(root, 'whole', source)
  for (const entry of fs.readdirSync(whole, { withFileTypes: true })) {
    // Hard links: a case costs the disk what it changes.
    if (entry.isFile()) fs.linkSync(join(whole, entry.name), join(folder, entry.name))
  }
  const names = fs.readdirSync(folder)
  const file = pick(rng, kind === 'link' ? names : filesOf(kind, names))
  const original = fs.existsSync(join(whole, file)) ? fs.readFileSync(join(whole, file)) : Buffer.from('{}')
  fs.rmSync(join(folder, file), { force: true })
  const base = {
    kind,
    folder,
    allowed: [folder, join(folder, '../../blobs')],
    calls: callsOf(rng, source, folder, file),
  }
  fs.mkdirSync(join(folder, '../../blobs'))
  if (kind === 'link') {
    const link = makeLink(rng, root, join(folder, file), original)
    // What processor_config.json says of pictures comes first; the other file is then not opened.
    const isRead = file !== 'preprocessor_config.json' || !fs.existsSync(join(folder, 'processor_config.json'))
    return { ...base, what: `${source}/${file} is ${link.what}`, leadsOut: link.leadsOut && isRead }
  }
  fs.writeFileSync(join(folder, file), mutateFile(rng, kind, file, original))
  return { ...base, what: `${source}/${file} is damaged`, leadsOut: false }
}

export function removeCase(root: string, number: number): void {
  fs.rmSync(join(root, `case-${number}`), { recursive: true, force: true })
}

function sourceOf(rng: Rng, kind: Kind): string {
  switch (kind) {
    case 'index':
      return sharded
    case 'template':
      return pick(rng, vlms)
    case 'adapter':
      return pick(rng, adapters)
    case 'lexicon':
      return 'lexicon'
    case 'link':
      return pick(rng, [...vlms, ...encoders, ...adapters])
    default:
      return pick(rng, [...vlms, ...encoders])
  }
}

function filesOf(kind: Kind, names: readonly string[]): readonly string[] {
  const among: Readonly<Record<Exclude<Kind, 'link'>, RegExp>> = {
    safetensors: /\.safetensors$/,
    index: /\.index\.json$/,
    config: /^(config|generation_config)\.json$/,
    tokenizer: /^tokenizer\.json$/,
    template: /^chat_template\.jinja$/,
    'tokenizer-config': /^(tokenizer_config|processor_config)\.json$/,
    processor: /^(preprocessor|processor)_config\.json$/,
    adapter: /^adapter_/,
    lexicon: /^lexicon\.json$/,
  }
  const found = names.filter((name) => among[kind as Exclude<Kind, 'link'>].test(name))
  if (kind === 'template') return [...found, 'chat_template.jinja', 'chat_template.json']
  if (kind === 'tokenizer-config') return [...found, 'special_tokens_map.json']
  return found
}

const plainTemplate = `{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {% for c in m.content %}{% if
c.type == 'image' %}<image>{% else %}{{ c.text | trim }}{% endif %}{% endfor %}[/INST]{% endif %}{% endfor %}`

function mutateFile(rng: Rng, kind: Kind, file: string, original: Buffer): Buffer | string {
  if (file.endsWith('.safetensors')) return mutateSafetensors(rng, original)
  if (file.endsWith('.index.json')) return mutateIndex(rng, original)
  if (file === 'tokenizer.json') return mutateTokenizer(rng, original)
  if (kind === 'template') {
    const template = mutateTemplate(rng, file.endsWith('.jinja') && original.length > 2 ? `${original}` : plainTemplate)
    if (file.endsWith('.jinja')) return template
    const named = [{ name: pick(rng, ['default', 'other']), template }]
    return JSON.stringify({ chat_template: oneIn(rng, 4) ? named : template })
  }
  return mutateJson(rng, original)
}

/** The file as a link, or as something that is no file. */
function makeLink(rng: Rng, root: string, path: string, original: Buffer): { what: string; leadsOut: boolean } {
  const outside = join(dirname(path), '../../..', `outside-${basename(path)}`)
  fs.writeFileSync(outside, original)
  const inBlobs = join(dirname(path), '../../blobs', 'b10b')
  const [what, target, leadsOut] = pick(rng, [
    ['a link to a file outside', outside, true],
    ['a link to a file outside', outside, true],
    ['a relative link to a file outside', `../../../outside-${basename(path)}`, true],
    ['a link to a link to a file outside', join(dirname(path), canary), true],
    ['a link into the repository beside its blobs', join(dirname(path), '../../refs'), true],
    ['a link to a device without end', '/dev/zero', true],
    ['a link to a folder', dirname(root), true],
    ['a link into the blobs of its repository', '../../blobs/b10b', false],
    ['a link to another file of the folder', pick(rng, ['config.json', 'tokenizer.json', 'model.safetensors']), false],
    ['a link to itself', basename(path), false],
    ['a link to nothing', 'nothing', false],
    ['a folder', null, false],
    ['a pipe', null, false],
    ['empty', null, false],
  ] as const)
  fs.writeFileSync(inBlobs, original)
  fs.symlinkSync(outside, join(dirname(path), canary))
  fs.writeFileSync(join(dirname(path), '../../refs'), original)
  if (target !== null) fs.symlinkSync(target, path)
  else if (what === 'a folder') fs.mkdirSync(path)
  else if (what === 'a pipe' && process.platform !== 'win32') fs.linkSync(join(root, 'whole/pipe'), path)
  else fs.writeFileSync(path, '')
  return { what, leadsOut }
}

/** The calls that read the file. */
function callsOf(rng: Rng, source: string, folder: string, file: string): FuzzCase['calls'] {
  const isVlm = vlms.includes(source)
  const tensor = rng.below(1000)
  const question = pick(rng, [
    'What is in the picture?',
    '',
    `${'a'.repeat(500)}!`,
    '<image>',
    'naïve 🐈 \ud800 {{ 1 }}\n',
  ])
  if (source === 'lexicon') return [['readLexicon', () => readLexicon(join(folder, file))]]
  if (adapters.includes(source)) return [['readAdapter', () => readAdapter(folder)]]
  const calls: [string, () => Promise<unknown>][] = []
  if (/^(config|generation_config)\.json$/.test(file)) {
    calls.push(
      isVlm
        ? ['describeVlm', () => describeVlm(folder)]
        : ['readDualEncoderConfig', () => readDualEncoderConfig(folder)],
    )
  }
  if (/safetensors|index/.test(file)) {
    calls.push(['openWeights', async () => await checkWeights(await openWeights(folder), tensor)])
  }
  if (/^(config|generation_config)\.json$|safetensors|index/.test(file)) {
    calls.push(isVlm ? ['openVlm', () => openVlm(folder)] : ['openDualEncoder', () => openDualEncoder(folder)])
  }
  if (/processor/.test(file)) calls.push(['openImageProcessor', () => openImageProcessor(folder)])
  if (/token|template|processor_config/.test(file)) {
    let tokenizer: Tokenizer | null = null
    calls.push(['openTokenizer', async () => (tokenizer = await openTokenizer(folder))])
    for (const text of [question, `A dog's <image> ${'a'.repeat(40)} 🐈`, `${'hello world 12 '.repeat(100)}\n`]) {
      calls.push(['encode and decode', async () => tokenizer && checkTokenizer(tokenizer, text)])
    }
    if (isVlm) {
      calls.push([
        'openChatTemplate and promptIds',
        async () => tokenizer && (await openChatTemplate(folder, tokenizer)).promptIds(question, nine),
      ])
    }
  }
  return calls
}

const nine = { tokens: 9, promptText: (token: string) => token.repeat(9) }

/** What is accepted holds what it says: each tensor lies in a file, and its bytes can be read. */
async function checkWeights(weights: Weights, number: number): Promise<void> {
  const { names } = weights
  for (const name of names) {
    const { slice } = weights.get(name)
    if (slice.offsetBytes + slice.sizeBytes > fs.statSync(slice.file).size)
      throw new Error(`${name} is not in its file`)
  }
  const name = names[number % Math.max(names.length, 1)]
  if (name !== undefined) await readTensorBytes(weights.get(name))
}

function checkTokenizer(tokenizer: Tokenizer, text: string): void {
  const { ids, offsets } = tokenizer.encode(text)
  if (offsets.some(([start, end]) => !(start >= 0 && start <= end && end <= text.length))) {
    throw new Error('offsets outside of the text')
  }
  const { text: decoded, ranges } = tokenizer.decodeWithOffsets(ids)
  if (ranges.length !== ids.length || ranges.some(([, end]) => end > decoded.length))
    throw new Error('ranges are wrong')
}

/** Why what was thrown is not a refusal as people should see it; null when it is one. */
export function faultOf(thrown: unknown): string | null {
  if (!(thrown instanceof StudioError))
    return `threw ${thrown instanceof Error ? thrown.stack : String(thrown)}`.slice(0, 600)
  const { code, message, remedy, found = '', expected = '' } = thrown
  if (!/^(weights|model|tokenizer|run)\.[a-z-]+$/.test(code) || message === '' || remedy === '')
    return `has the code ${code}`
  const longest = Math.max(...[message, remedy, found, expected].map(({ length }) => length))
  return longest > 2000 ? `${code} says ${longest} characters: ${message.slice(0, 200)}` : null
}
