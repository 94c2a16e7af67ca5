// Files that several machines share: whole or not there, for their owner alone, and read with care.
import { createHash } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { publishCopy, publishText } from '../files/publish.ts'
import { cellFolder, readSweep, resultFile, sweepFile, tidyCell } from './sweepFolder.ts'

const home = mkdtempSync(join(tmpdir(), 'fisao-folder-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

test('a copy has the bytes of its source under the name of their hash, and nothing else is left', async () => {
  // More than is read at once.
  const bytes = Buffer.alloc(9 * 1024 * 1024, 'ab')
  const hash = createHash('sha256').update(bytes).digest('hex')
  writeFileSync(join(home, 'source'), bytes)
  const folder = join(home, 'copies')
  const copied = await publishCopy(join(home, 'source'), folder, (sha256) => `x-${sha256.slice(0, 4)}`)
  expect(copied).toEqual({ file: `x-${hash.slice(0, 4)}`, sha256: hash, sizeBytes: bytes.length })
  expect(readdirSync(folder)).toEqual([copied.file])
  expect(readFileSync(join(folder, copied.file)).equals(bytes)).toBe(true)
  expect(statSync(join(folder, copied.file)).mode & 0o777).toBe(0o600)
})

test('a text takes the place of the one before; where that cannot be, the one before stays', async () => {
  const path = join(home, 'texts/one.json')
  await publishText(path, 'first')
  await publishText(path, 'second')
  expect([readdirSync(join(home, 'texts')), readFileSync(path, 'utf8')]).toEqual([['one.json'], 'second'])
  mkdirSync(join(home, 'texts/taken/within'), { recursive: true })
  await expect(publishText(join(home, 'texts/taken'), 'third')).rejects.toThrow()
  expect(readdirSync(join(home, 'texts')).sort()).toEqual(['one.json', 'taken'])
})

test('a finished cell keeps its result, and those that others are about to name', async () => {
  const folder = cellFolder(home, 1)
  mkdirSync(folder, { recursive: true })
  const results = ['result-0123456789abcdef.fisao', 'result-fedcba9876543210.fisao', 'result.json']
  for (const name of [...results, 'snapshot.fisao', 'failure.json', '.fisao-node7-12-3.part'])
    writeFileSync(join(folder, name), '')
  await tidyCell(home, 1)
  expect(readdirSync(folder).sort()).toEqual(results)
  expect(resultFile(home, 1)).toBe(join(folder, 'result.json'))
})

const sweep = {
  ...{ format: 'fisao-sweep', version: 1, sweepId: '4461e143-a9cf-410e-be6f-914a942ed11d', appVersion: '0.1.0' },
  cells: [{ cell: 1, name: 'a', jobSha256: '0'.repeat(64), placebo: false }],
}

test.each([
  ['no file', null, 'no file'],
  ['no JSON', '{', 'no JSON'],
  ['another version', JSON.stringify({ ...sweep, version: 2 }), 'version 2'],
  ['another format', JSON.stringify({ ...sweep, format: 'fisao-job' }), 'format: '],
  ['a field too many', JSON.stringify({ ...sweep, run: 'rm' }), '"run"'],
  ['no cells', JSON.stringify({ ...sweep, cells: [] }), 'cells: '],
  ['other numbers', JSON.stringify({ ...sweep, cells: [{ ...sweep.cells[0], cell: 2 }] }), 'must be numbered from 1'],
])('a sweep of %s is refused', async (name, text, found) => {
  const folder = join(home, `sweep ${name}`)
  mkdirSync(folder)
  if (text !== null) writeFileSync(sweepFile(folder), text)
  await expect(readSweep(folder)).rejects.toMatchObject({
    code: 'run.bad-sweep',
    found: expect.stringContaining(found),
  })
})

test('one of a gigabyte is not read, a folder is none, and a right one is read', async () => {
  const folder = join(home, 'sizes')
  mkdirSync(folder)
  writeFileSync(sweepFile(folder), JSON.stringify(sweep))
  expect(await readSweep(folder)).toEqual(sweep)
  truncateSync(sweepFile(folder), 1e9)
  await expect(readSweep(folder)).rejects.toMatchObject({ found: 'a file of 1000000000 bytes' })
  rmSync(sweepFile(folder))
  mkdirSync(sweepFile(folder))
  await expect(readSweep(folder)).rejects.toMatchObject({ found: 'no regular file' })
})
