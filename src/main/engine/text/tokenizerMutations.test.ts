// Tokenizer and template files that are damaged or hostile are used or refused by a typed error: no crash, no hang.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { StudioError } from '../../../shared/errors.ts'
import { openChatTemplate } from './chatTemplate.ts'
import { openTokenizer } from './tokenizer.ts'

const fixtures = join(import.meta.dirname, '../../../../tools/parity/fixtures')
const folder = mkdtempSync(join(tmpdir(), 'fisao-mutations-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const models = ['clip-llama', 'clip-mistral', 'siglip-qwen2', 'clip-encoder', 'siglip-encoder']
const files = ['tokenizer.json', 'tokenizer_config.json', 'processor_config.json', 'chat_template.jinja']
const longestMs = 2000

/** Values that a field of the wrong type or a hostile author may hold. */
const oddValues: unknown[] = [
  ...[null, true, 0, -1, 1.5, 1e308, 2 ** 53, '', 'a', '▁', 'x'.repeat(5000), '__proto__', '(', '\\p{L', [], {}, [[]]],
  ...[
    '(?:a+)+$',
    '{% if',
    '{{ 1 }}',
    ['a', 'b'],
    { type: 'X' },
    { type: 'Sequence' },
    { String: '' },
    { Regex: '(a*)*b' },
  ],
  '{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}',
]

interface Mutation {
  /** Where along the file, from 0 to 1. */
  readonly at: number
  readonly odd: unknown
  readonly isRemoved: boolean
  readonly byte: number
}

/** A JSON file with values replaced or taken out; big maps and lists are entered at a few places only. */
function mutateJson(text: string, mutations: readonly Mutation[]): string {
  const root: unknown = JSON.parse(text)
  for (const { at, odd, isRemoved } of mutations) {
    const places: { owner: object; key: string }[] = []
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return
      const keys = Object.keys(value)
      const step = Math.ceil(keys.length / 8)
      keys.forEach((key, index) => {
        if (index % step !== 0) return
        places.push({ owner: value, key })
        visit(Reflect.get(value, key))
      })
    }
    visit(root)
    const place = places[Math.floor(at * places.length)]
    if (!place) continue
    if (isRemoved) Reflect.deleteProperty(place.owner, place.key)
    else Reflect.set(place.owner, place.key, odd)
  }
  return JSON.stringify(root)
}

function mutateBytes(text: string, mutations: readonly Mutation[]): Buffer {
  let bytes = Buffer.from(text)
  for (const { at, byte, isRemoved } of mutations) {
    const index = Math.floor(at * bytes.length)
    if (isRemoved) bytes = bytes.subarray(0, index)
    else if (index < bytes.length) bytes[index] = byte
  }
  return bytes
}

const mutationsArbitrary = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    odd: fc.constantFrom(...oddValues),
    isRemoved: fc.boolean(),
    byte: fc.nat(255),
  }),
  { minLength: 1, maxLength: 3 },
)

async function use(path: string, hasTemplate: boolean): Promise<void> {
  const tokenizer = await openTokenizer(path)
  const { ids } = tokenizer.encode(`A dog's <image> ${'a'.repeat(40)} 🐈`)
  expect(tokenizer.decodeWithOffsets(ids).ranges).toHaveLength(ids.length)
  if (hasTemplate)
    (await openChatTemplate(path, tokenizer)).promptIds('Why?', { tokens: 9, promptText: (token) => token.repeat(9) })
}

test('mutated files are used or refused with a typed error, in time (250 cases)', async () => {
  let refused = 0
  let number = 0
  const fields = [fc.constantFrom(...models), fc.constantFrom(...files), fc.integer({ min: 0, max: 4 })] as const
  await fc.assert(
    fc.asyncProperty(...fields, mutationsArbitrary, async (model, mutated, style, mutations) => {
      const path = join(folder, `${number++}`)
      mkdirSync(path)
      for (const file of files) {
        const source = join(fixtures, model, file)
        if (!existsSync(source)) continue
        copyFileSync(source, join(path, file))
        if (file !== mutated) continue
        const text = readFileSync(source, 'utf8')
        const isStructured = file.endsWith('.json') && style > 0
        writeFileSync(join(path, file), isStructured ? mutateJson(text, mutations) : mutateBytes(text, mutations))
      }
      const startMs = performance.now()
      try {
        await use(path, !model.includes('encoder'))
      } catch (thrown) {
        if (!(thrown instanceof StudioError)) throw thrown
        refused++
      }
      expect(performance.now() - startMs).toBeLessThan(longestMs)
      rmSync(path, { recursive: true })
    }),
    { numRuns: 250, seed: 20260 },
  )
  expect(refused).toBeGreaterThan(60)
})
