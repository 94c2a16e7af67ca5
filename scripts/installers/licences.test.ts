// Nothing is bundled without its licence text, and the file says what the lock file says.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectRoot } from '../runProgram.ts'
import { licenceFile, licenceTexts, packagesInApp } from './licences.ts'
import { readLockFile, runtimePackages } from './lockFile.ts'
import { billOfMaterials } from './sbom.ts'

const target = { platform: 'linux', arch: 'x64' }
const text = readFileSync(join(projectRoot, licenceFile), 'utf8')

test('the file is up to date; `npm run licences` writes it', () => {
  expect(text === licenceTexts(projectRoot)).toBe(true)
})

test('it names what a person sees and what computes', () => {
  for (const name of ['react', '@mantine/core', 'recharts', 'zod', 'better-sqlite3', 'onnxruntime-node', 'wink-nlp']) {
    expect(text).toMatch(new RegExp(`^${name} \\d+\\.`, 'm'))
  }
  expect(text).not.toMatch(/^(vitest|sharp|typescript|electron) \d/m)
})

test('the bill of materials names every package that lies beside the app, with its hash', () => {
  const bill = billOfMaterials(projectRoot, target, [{ name: 'electron', version: '45.4.1' }], 1_700_000_000)
  const names = new Map(bill.components.map((one) => [one.purl, one]))
  for (const { name, version } of runtimePackages(readLockFile(projectRoot), target)) {
    expect(names.get(`pkg:npm/${name.replace('@', '%40')}@${version}`)?.hashes?.[0]?.content).toMatch(/^[\da-f]{128}$/)
  }
  expect(names.has('pkg:npm/%40napi-rs/image-linux-x64-gnu@1.15.0')).toBe(true)
  expect(names.has('pkg:npm/electron@45.4.1')).toBe(true)
  expect(bill.metadata.timestamp).toBe('2023-11-14T22:13:20Z')
  // The same packages as the licence texts', and the binaries of this system.
  for (const { name, version } of packagesInApp(projectRoot, null)) {
    expect(names.has(`pkg:npm/${name.replace('@', '%40')}@${version}`), name).toBe(true)
  }
})
