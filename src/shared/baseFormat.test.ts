// Which numbers a model is computed with, where nothing was chosen and where something was.
import { expect, test } from 'vitest'
import { fileFormatOf } from './baseFormat.ts'
import { presetConfig, storedRunConfig } from './runConfig.ts'

test('by itself a float32 model is taken as it is, a small one of half precision widened, a large one quantised', () => {
  expect(fileFormatOf('auto', { parameters: 7e9, isFloat32: true })).toBe(null)
  expect(fileFormatOf('auto', { parameters: 256e6, isFloat32: false })).toBe('float32')
  expect(fileFormatOf('auto', { parameters: 7e9, isFloat32: false })).toBe('int8')
  expect(fileFormatOf('stored', { parameters: 7e9, isFloat32: false })).toBe(null)
  expect(fileFormatOf('int4', { parameters: 7e9, isFloat32: true })).toBe('int4')
})

test('a run that was stored before there was a choice keeps to its model’s own files', () => {
  const { base, ...before } = presetConfig('quick-look')
  expect(base).toEqual({ format: 'auto' })
  expect(storedRunConfig(before)).toEqual({ ...before, base: { format: 'stored' } })
  expect(storedRunConfig({ ...before, base }).base).toEqual({ format: 'auto' })
})
