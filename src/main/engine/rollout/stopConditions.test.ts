// The end of one response as its tokens come: which condition it meets first, and what becomes of its text.
import { expect, test } from 'vitest'
import { GrowingText, type StopConditions, type TextStream } from './stopConditions.ts'

const conditions: StopConditions = { endTokenIds: [2, 3], stopStrings: [], maxNewTokens: 10 }
/** Writes tokens as these pieces; what is held back comes at the end. */
const streamOf = (pieces: Readonly<Record<number, string>>, rest = ''): TextStream => ({
  push: (token) => pieces[token] ?? '',
  finish: () => rest,
})

test('an end token, of which there may be several, ends it with what was still to come', () => {
  for (const end of [2, 3]) {
    const growing = new GrowingText(conditions, streamOf({ 7: 'a', 2: 'END', 3: 'END' }, '?'))
    expect(growing.push(7)).toEqual({ added: 'a', reason: null })
    expect(growing.push(end)).toEqual({ added: '?', reason: 'end' })
    expect(growing.text).toBe('a?')
  }
})

test('the last token that it may have ends it, also with what was still to come', () => {
  const growing = new GrowingText({ ...conditions, maxNewTokens: 2 }, streamOf({ 7: 'a' }, '?'))
  expect(growing.push(7).reason).toBeNull()
  expect(growing.push(7)).toEqual({ added: 'a?', reason: 'length' })
  // An end token in the last place is an end.
  const ended = new GrowingText({ ...conditions, maxNewTokens: 1 }, null)
  expect(ended.push(2)).toEqual({ added: '', reason: 'end' })
})

test('the earliest of the stop strings cuts the text, wherever tokens part it; an empty one stops nothing', () => {
  const stopStrings = ['', 'cd', 'b', 'x y']
  const growing = new GrowingText({ ...conditions, stopStrings }, streamOf({ 7: 'a', 8: 'abcd' }))
  expect(growing.push(7).reason).toBeNull()
  expect(growing.push(8)).toEqual({ added: 'a', reason: 'stop-string' })
  expect(growing.text).toBe('aa')
  const parted = new GrowingText({ ...conditions, stopStrings }, streamOf({ 7: 'ax ', 8: 'ya' }))
  expect(parted.push(7)).toEqual({ added: 'ax ', reason: null })
  expect(parted.push(8)).toEqual({ added: '', reason: 'stop-string' })
  expect(parted.text).toBe('a')
})

test('without a stream there is no text, and its tokens still end it', () => {
  const growing = new GrowingText({ ...conditions, stopStrings: ['a'], maxNewTokens: 2 }, null)
  expect([growing.push(7).reason, growing.push(7).reason, growing.text]).toEqual([null, 'length', ''])
})
