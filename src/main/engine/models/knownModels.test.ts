// The page of docs/ about models says what the code says: for each folder the sentence that a person gets, or that its kind
// is computed; and what is named to choose instead is computed itself.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { toErrorRecord } from '../../../shared/errors.ts'
import { knownModels } from './knownModels.ts'
import { describeVlm } from './registry.ts'

const page = readFileSync(join(import.meta.dirname, '../../../../docs/models.md'), 'utf8')
const rows = page
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
  .filter(([, folder]) => /^[\w-]+\/[\w.-]+$/.test(folder ?? ''))
  .map(([, folder = '', architecture = '', modelType = '', gets = '', instead = '']) => {
    return { folder, architecture, modelType, gets, instead }
  })

const scratch = mkdtempSync(join(tmpdir(), 'fisao-known-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test('the page has 25 folders', () => {
  expect(new Set(rows.map(({ folder }) => folder)).size).toBe(25)
})

test.each(rows)('$folder: $gets', async ({ architecture, modelType, gets, instead }) => {
  writeFileSync(join(scratch, 'config.json'), JSON.stringify({ architectures: [architecture], model_type: modelType }))
  const thrown = await describeVlm(scratch).then(
    () => null,
    (error: unknown) => toErrorRecord(error),
  )
  // A config of a known kind that says nothing more is refused for its sizes.
  expect(thrown?.code === 'model.unsupported' ? thrown.message : 'works').toBe(gets)
  const named = /[\w-]+\/[\w.-]+/.exec(instead)?.[0] ?? ''
  expect(thrown?.remedy ?? '').toContain(named)
})

test('what is named instead is one of the folders that work', () => {
  const works = rows.filter(({ gets }) => gets === 'works').map(({ folder }) => folder)
  for (const { instead } of knownModels) {
    const named = instead === null ? null : /[\w-]+\/[\w.-]+/.exec(instead)?.[0]
    if (named !== null) expect(works).toContain(named)
  }
})
