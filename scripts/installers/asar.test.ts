// The archive is read back by Electron itself, whose file functions see into archives.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { writeAsar } from './asar.ts'

const folder = mkdtempSync(join(tmpdir(), 'fisao-asar-'))
afterEach(() => withoutArchives(async () => rmSync(folder, { recursive: true, force: true })))

const files = [
  { path: 'a/deep/empty.txt', isUnpacked: false },
  { path: 'a/green.txt', isUnpacked: false },
  { path: 'b.node', isUnpacked: true },
  { path: 'large.bin', isUnpacked: false },
]

test('Electron reads every file back, and finds the unpacked ones beside the archive', async () => {
  mkdirSync(join(folder, 'from/a/deep'), { recursive: true })
  const large = Buffer.alloc(5 * 1024 * 1024, 'abc')
  const contents: Record<string, Buffer> = {
    'a/deep/empty.txt': Buffer.alloc(0),
    'a/green.txt': Buffer.from('grün\n'),
    'b.node': Buffer.from('native'),
    'large.bin': large,
  }
  for (const [path, bytes] of Object.entries(contents)) writeFileSync(join(folder, 'from', path), bytes)
  const archive = join(folder, 'app.asar')
  await withoutArchives(() => writeAsar(join(folder, 'from'), files, archive))
  for (const [path, bytes] of Object.entries(contents)) {
    expect(readFileSync(join(archive, path)).equals(bytes), path).toBe(true)
  }
  expect(readdirSync(join(archive, 'a')).sort()).toEqual(['deep', 'green.txt'])
  expect(readFileSync(join(folder, 'app.asar.unpacked/b.node'), 'utf8')).toBe('native')

  const again = join(folder, 'again.asar')
  await withoutArchives(async () => {
    await writeAsar(join(folder, 'from'), files, again)
    expect(readFileSync(again).equals(readFileSync(archive))).toBe(true)
    // The header names two blocks for the large file: 4 MiB and 1 MiB.
    const header = readFileSync(archive).subarray(16, 5000).toString()
    expect(/"large\.bin":\{"size":5242880,.*?"blocks":\["\w{64}","\w{64}"\]/.test(header)).toBe(true)
  })
})

/** Electron takes a path that ends in .asar for a folder; here it is a file, as for the plain Node that builds. */
async function withoutArchives(use: () => Promise<void>): Promise<void> {
  process.noAsar = true
  await use().finally(() => {
    process.noAsar = false
  })
}
