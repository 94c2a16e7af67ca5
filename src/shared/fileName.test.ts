// Names for files, whatever a person typed: none that a file system refuses, none that hides or lies.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exportFolderName, fileNameOf, unfinishedSuffix, utf8Bytes } from './fileName.ts'

const family = '👩‍👩‍👧‍👦'

describe('a file name', () => {
  test.each([
    ['Quick look', 'Quick look'],
    ['a/b\\c:d*e?f"g<h>i|j', 'a-b-c-d-e-f-g-h-i-j'],
    ['tab\there\nand\0there', 'tab here and there'],
    ['dots and spaces . . ', 'dots and spaces'],
    ['..', 'Run'],
    ['.hidden', 'hidden'],
    ['   ', 'Run'],
    ['CON', '_CON'],
    ['nul.txt', '_nul.txt'],
    ['Lpt1 .tar.gz', '_Lpt1 .tar.gz'],
    ['CONSOLE', 'CONSOLE'],
    ['half \ud83d of an emoji', 'half of an emoji'],
    ['photo\u202egpj.exe', 'photogpj.exe'],
    ['Élan', 'Élan'.normalize('NFC')],
  ])('%j becomes %j', (text, expected) => {
    expect(fileNameOf(text, 0, 'Run')).toBe(expected)
  })

  test('is cut between whole characters, in bytes', () => {
    const name = fileNameOf(family.repeat(40), 10, 'Run')
    expect(utf8Bytes(name)).toBeLessThanOrEqual(245)
    expect(name).toBe(`${family.repeat(9)}…`)
    expect(fileNameOf('x'.repeat(255), 0, 'Run')).toBe(`${'x'.repeat(251)}…`)
    expect(fileNameOf('x'.repeat(254), 0, 'Run')).toBe('x'.repeat(254))
  })

  test('holds for whatever is typed (2,000 cases)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), fc.nat(60), (text, room) => {
        const name = fileNameOf(text, room, 'Run')
        expect(utf8Bytes(name) + room).toBeLessThanOrEqual(255)
        expect(name).not.toMatch(/[\\/:*?"<>|\p{Cc}\p{Surrogate}]|^[.\s]|[.\s]$|^$/u)
        expect(name.split('.')[0]).not.toMatch(/^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*$/i)
      }),
      { numRuns: 2000, seed: 20262 },
    )
  })
})

test('a folder of an export keeps its step and number, however long the run is called', () => {
  expect(exportFolderName('Quick look', 20, 1)).toBe('Quick look step 20')
  expect(exportFolderName('Quick look', 20, 3)).toBe('Quick look step 20 (3)')
  expect(exportFolderName('CON', 20, 1)).toBe('_CON step 20')
  const long = exportFolderName('長い名前'.repeat(60), 20, 12)
  expect(long).toMatch(/^長い名前.*… step 20 \(12\)$/)
  expect(utf8Bytes(long) + unfinishedSuffix.length).toBeLessThanOrEqual(255)
})
