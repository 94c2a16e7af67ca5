import { expect, test } from 'vitest'
import { parseJson } from './json.ts'

test('reads what JSON.parse reads', () => {
  const value = { a: ['[[[[', '\\"{', { b: null }], 'c"': 1e3 }
  expect(parseJson(JSON.stringify(value))).toEqual(value)
  expect(() => parseJson('{"a": ')).toThrow(SyntaxError)
})

test('refuses what is nested deeply, and not what is long', () => {
  expect(() => parseJson(`${'['.repeat(65)}${']'.repeat(65)}`)).toThrow('nested')
  expect(parseJson(`${'['.repeat(64)}${']'.repeat(64)}`)).toBeInstanceOf(Array)
  expect(parseJson(`[${'[],'.repeat(1000)}[]]`)).toHaveLength(1001)
})

// Each right value is that of Python 3.11: json.loads(text.encode()).
test.each([
  ['a byte order mark', '\ufeff{"a": 1}', { a: 1 }],
  ['line ends of Windows', '{\r\n"a": 1\r\n}\r\n', { a: 1 }],
  ['numbers that JSON has not', '{"a": NaN, "b": [Infinity,-Infinity]}', { a: Number.NaN, b: [Infinity, -Infinity] }],
  ['their names in texts', '{"NaN": "-Infinity, NaN", "b": NaN}', { NaN: '-Infinity, NaN', b: Number.NaN }],
  ['NaN alone', 'NaN', Number.NaN],
  ['a name of an object', '{"__proto__": 1}', JSON.parse('{"__proto__": 1}')],
])('reads as Python does: %s', (_what, text, value) => {
  expect(parseJson(text)).toEqual(value)
})

test.each([
  ['two byte order marks', '\ufeff\ufeff{}'],
  ['a mark in the middle', '{\ufeff}'],
  ['minus NaN', '-NaN'],
  ['a name as a key', '{NaN: 1}'],
  ['a name cut short', '[Infin]'],
  ['two in a row', '[NaN NaN]'],
  ['a name that a number begins', '[1NaN]'],
  ['a name in lower case', '[nan]'],
  ['a comma at the end', '[1,]'],
])('refuses as Python does: %s', (_what, text) => {
  expect(() => parseJson(text)).toThrow(SyntaxError)
})
