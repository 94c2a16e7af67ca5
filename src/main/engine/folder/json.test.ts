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
