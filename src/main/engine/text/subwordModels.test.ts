// Small vocabularies by hand, where the order of merges, ties and unknown characters decide. tokenizer.test.ts compares
// whole tokenizers with transformers.
import { expect, test } from 'vitest'
import { BpeModel, bpeSchema } from './bpe.ts'
import { UnigramModel } from './unigram.ts'

function bpe(tokens: readonly string[], merges: readonly string[], rest: object = {}): (piece: string) => string[] {
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]))
  const model = new BpeModel(bpeSchema.parse({ type: 'BPE', vocab, merges, ...rest }))
  return (piece) => model.tokenize(piece).map(({ id }) => tokens[id] as string)
}

test('a merge that makes a pair of a lower rank lets it go first', () => {
  // "ab a" comes before the second "a b".
  const tokenize = bpe(['a', 'b', 'ab', 'aba'], ['ab a', 'a b'])
  expect(tokenize('abab')).toEqual(['aba', 'b'])
  expect(tokenize('abb')).toEqual(['ab', 'b'])
})

test('a whole token needs no merges only where they are ignored', () => {
  const tokens = ['a', 'b', 'ab']
  expect(bpe(tokens, [])('ab')).toEqual(['a', 'b'])
  expect(bpe(tokens, [], { ignore_merges: true })('ab')).toEqual(['ab'])
})

function unigram(scores: Readonly<Record<string, number>>): (piece: string) => string[] {
  const vocab = [['<unk>', 0] as const, ...Object.entries(scores)]
  const model = new UnigramModel({ type: 'Unigram', unk_id: 0, vocab, byte_fallback: false })
  return (piece) => model.tokenize(piece).map(({ id }) => vocab[id]?.[0] as string)
}

test('an unknown character scores ten less than the worst token', () => {
  // "xy" alone is -5; x unknown and "y" are -5 - 10 + 1.
  expect(unigram({ xy: -5, y: 1 })('xy')).toEqual(['xy'])
  // With -16 it is worse than that.
  expect(unigram({ xy: -16, y: 20 })('xy')).toEqual(['<unk>', 'y'])
})

test('a character without a token of its own may be unknown where a longer token begins', () => {
  expect(unigram({ xy: -1, yz: 30 })('xyz')).toEqual(['<unk>', 'yz'])
})

test('of equal splits the one with the earlier beginning of its last token stands', () => {
  expect(unigram({ a: -1, aa: -2 })('aa')).toEqual(['aa'])
})
