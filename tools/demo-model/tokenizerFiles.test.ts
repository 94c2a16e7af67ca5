import { Tokenizer } from '@huggingface/tokenizers'
import { expect, test } from 'vitest'
import { demoVocabulary, encoderOf, promptText, specialIds, tokenizerConfig, tokenizerJson } from './tokenizerFiles.ts'
import { classNames } from './world.ts'

const vocabulary = demoVocabulary()
const ids = specialIds(vocabulary.tokens.length)

test('a caption comes back from its tokens, and begins with <s>', () => {
  const tokenizer = new Tokenizer(tokenizerJson(vocabulary, 'language'), tokenizerConfig('language', 512))
  const text = 'A party table with a wine glass, a donut and some broccoli. There is also a café.'
  const encoded = tokenizer.encode(text).ids
  expect(encoded[0]).toBe(ids['<s>'])
  expect(tokenizer.decode(encoded, { skip_special_tokens: true })).toBe(text)
})

test('the prompt holds one image token', () => {
  const encoded = encoderOf(vocabulary, 'language')(promptText('Describe this image.'))
  expect(encoded.filter((id) => id === ids['<image>'])).toHaveLength(1)
})

test('the companion reads without case and ends each text with its end token', () => {
  const encode = encoderOf(vocabulary, 'companion')
  expect(encode('A photo of a TEDDY bear')).toEqual(encode('a photo of a teddy bear'))
  expect(encode('cat').at(-1)).toBe(ids['</s>'])
  expect(ids['</s>']).not.toBe(2)
})

test('some names of classes take several tokens', () => {
  const encode = encoderOf(vocabulary, 'language')
  const several = classNames.filter((name) => encode(` ${name}`).length > 2)
  expect(several).toEqual(expect.arrayContaining(['teddy bear', 'hot dog', 'stop sign', 'sandwich']))
  expect(several.length).toBeLessThan(classNames.length / 3)
})
