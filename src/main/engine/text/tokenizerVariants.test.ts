// Every component of a tokenizer.json that is computed gives what the `tokenizers` library gives, on hard texts.
// tools/parity/make_tokenizer_variants.py made the witness.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openTokenizer, type TextRange } from './tokenizer.ts'

interface Variant {
  name: string
  /** The fixture folder whose tokenizer.json it is, with these fields set; a dotted name is a field of a field. */
  base: string
  set: Record<string, unknown>
  cases: {
    text: string
    input_ids: number[]
    offsets_code_points: number[][]
    decoded_skipping_special?: string
    any_ids?: number[]
    any_text?: string
  }[]
}

const fixtures = join(import.meta.dirname, '../../../../tools/parity/fixtures')
const { variants } = JSON.parse(readFileSync(join(fixtures, 'tokenizers/variants.json'), 'utf8')) as {
  variants: Variant[]
}
const folder = mkdtempSync(join(tmpdir(), 'fisao-variants-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function folderOf({ name, base, set }: Variant): string {
  const file = JSON.parse(readFileSync(join(fixtures, base, 'tokenizer.json'), 'utf8')) as Record<string, object>
  for (const [field, value] of Object.entries(set)) {
    const [outer = '', inner] = field.split('.')
    if (inner === undefined) Object.assign(file, { [outer]: value })
    else Object.assign(file[outer] ?? {}, { [inner]: value })
  }
  const path = join(folder, name)
  mkdirSync(path)
  writeFileSync(join(path, 'tokenizer.json'), JSON.stringify(file))
  return path
}

/** Offsets in code points, as Python counts them. */
function inCodePoints(text: string, ranges: readonly TextRange[]): number[][] {
  const count = (units: number): number => [...text.slice(0, units)].length
  return ranges.map(([start, end]) => [count(start), count(end)])
}

test.each(variants)('$name', async (variant) => {
  const tokenizer = await openTokenizer(folderOf(variant))
  expect(variant.cases.length).toBeGreaterThan(10)
  for (const wanted of variant.cases) {
    const { ids, offsets } = tokenizer.encode(wanted.text)
    expect([wanted.text, ids]).toEqual([wanted.text, wanted.input_ids])
    expect([wanted.text, inCodePoints(wanted.text, offsets)]).toEqual([wanted.text, wanted.offsets_code_points])
    if (wanted.any_ids === undefined) continue
    expect(tokenizer.decode(ids)).toBe(wanted.decoded_skipping_special)
    expect(tokenizer.decode(wanted.any_ids)).toBe(wanted.any_text)
  }
})
