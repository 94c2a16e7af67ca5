// Words of responses that were laid out by hand: sums of log-probs, repeated mentions, and texts that cut badly.
import { describe, expect, test } from 'vitest'
import { partsOf, type WordSource, type WordSpan, wordsOf } from './responseWords.ts'

/** Tokens with these texts, one after the other; log-probs -1, -2, ... and -0.5 less under the reference. */
function source(pieces: readonly string[], spans: readonly WordSpan[]): WordSource {
  let end = 0
  const tokens = pieces.map((piece, position) => {
    const textStart = end
    end += piece.length
    return { textStart, textEnd: end, logProb: -(position + 1), referenceLogProb: -(position + 1) - 0.5 }
  })
  return { text: pieces.join(''), tokens, spans }
}

function span(startPosition: number, endPosition: number, word: string, score: number | null = 0.25): WordSpan {
  return { startPosition, endPosition, word, score, reward: score, label: score === null ? null : 'grounded' }
}

const textsOf = (response: WordSource): string[] =>
  wordsOf(response).map(({ start, end }) => response.text.slice(start, end))

describe('words of a response', () => {
  test('stand in reading order with their text, sums over their tokens, and whether they were named before', () => {
    const response = source(
      ['A', ' traffic', ' light', ' and', ' a', ' bench', '.', ' The', ' bench', 'es', '.'],
      [span(8, 10, 'bench', -0.1), span(1, 3, 'traffic light'), span(5, 7, 'bench')],
    )
    expect(textsOf(response)).toEqual(['traffic light', 'bench', 'benches'])
    const [light, , benches] = wordsOf(response)
    // Tokens 2 and 3 have -2 and -3 nats, under the reference -2.5 and -3.5.
    expect(light).toMatchObject({ logProb: -5, referenceLogProb: -6, klNats: 1, tokenCount: 2, isRepeated: false })
    expect(benches).toMatchObject({ index: 2, logProb: -19, klNats: 1, score: -0.1, isRepeated: true })
  })

  test('have no reference and no KL when one of their tokens has none', () => {
    const response = source([' fire', ' hydrant'], [span(0, 2, 'fire hydrant')])
    const tokens = response.tokens.map((token, i) => (i === 1 ? { ...token, referenceLogProb: null } : token))
    expect(wordsOf({ ...response, tokens })[0]).toMatchObject({ logProb: -3, referenceLogProb: null, klNats: null })
  })

  test('may wait for their verdict', () => {
    expect(wordsOf(source([' cup'], [span(0, 1, 'cup', null)]))[0]).toMatchObject({ verdict: null, score: null })
  })

  test('are whole characters when tokens split them', () => {
    // The second token holds the low surrogate, the third the skin tone that belongs to the same sign.
    const wave = '\u{1F44B}\u{1F3FD}'
    expect(
      textsOf(source(['a ', wave.slice(0, 1), wave.slice(1, 2), wave.slice(2), ' b'], [span(2, 3, 'hand')])),
    ).toEqual([wave])
    // A combining accent in the next token.
    expect(textsOf(source(['un cafe', '\u0301', ' noir'], [span(0, 1, 'coffee')]))).toEqual(['un cafe\u0301'])
    // Bytes of a character without characters of their own.
    expect(textsOf(source(['\u72d7', '', '', '\u3002'], [span(0, 3, 'dog'), span(1, 3, 'nothing')]))).toEqual([
      '\u72d7',
    ])
  })

  test('are read in logical order in scripts from right to left', () => {
    expect(
      textsOf(
        source(
          ['\u05db\u05dc\u05d1', ' \u05d5', '\u05d7\u05ea\u05d5\u05dc', '.'],
          [span(2, 4, 'cat'), span(0, 1, 'dog')],
        ),
      ),
    ).toEqual(['\u05db\u05dc\u05d1', '\u05d7\u05ea\u05d5\u05dc'])
  })

  test('keep what an earlier one leaves of them when spans overlap, and go when nothing is left', () => {
    const pieces = ['hot', ' dog', ' stand', '!']
    const spans = [span(1, 2, 'dog'), span(1, 3, 'dog stand'), span(0, 2, 'hot dog')]
    expect(textsOf(source(pieces, spans))).toEqual(['hot dog', 'stand'])
    expect(wordsOf(source(pieces, spans)).map(({ name, index }) => [name, index])).toEqual([
      ['hot dog', 0],
      ['dog stand', 1],
    ])
  })

  test('that lie outside of the tokens are left out', () => {
    expect(wordsOf(source(['cup'], [span(4, 6, 'cup')]))).toEqual([])
    expect(wordsOf({ text: 'cu', tokens: source(['cup'], []).tokens, spans: [span(0, 1, 'cup')] })[0]).toMatchObject({
      start: 0,
      end: 2,
    })
  })
})

describe('parts', () => {
  test('joined are the text, whatever is in it', () => {
    const response = source(['\u200f', ' cup', ',', ' ', '<b>', 'cup', '\n'], [span(1, 2, 'cup'), span(5, 7, 'cup')])
    const parts = partsOf(response.text, wordsOf(response))
    expect(parts.map(({ text }) => text)).toEqual(['\u200f ', 'cup', ', <b>', 'cup', '\n'])
    expect(parts.map(({ word }) => word?.index ?? null)).toEqual([null, 0, null, 1, null])
  })

  test('of a text without words are the text, of no text none', () => {
    expect(partsOf('Nothing here.', [])).toEqual([{ text: 'Nothing here.', word: null }])
    expect(partsOf('', [])).toEqual([])
  })
})
