// Writes the archive that Electron reads the app from: a JSON header with the place and the hashes of every file, then
// the files one after another (https://github.com/electron/asar#format). Equal files give equal bytes.
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { copyFile, mkdir, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { PackageFile } from './packageFiles.ts'

const blockSize = 4 * 1024 * 1024

interface FileNode {
  readonly size: number
  readonly executable?: true
  readonly unpacked?: true
  /** Where the file starts behind the header; a string, as it may pass 2^53. */
  readonly offset?: string
  readonly integrity: {
    readonly algorithm: 'SHA256'
    readonly hash: string
    readonly blockSize: number
    readonly blocks: readonly string[]
  }
}
interface FolderNode {
  readonly files: Record<string, FileNode | FolderNode>
}

/**
 * Writes `archive` and, beside it, the folder `<archive>.unpacked` with the files that are not packed.
 * @param files sorted by path
 */
export async function writeAsar(root: string, files: readonly PackageFile[], archive: string): Promise<void> {
  const header: FolderNode = { files: {} }
  const packed: string[] = []
  let offset = 0
  for (const { path, isUnpacked } of files) {
    const from = join(root, path)
    const [bytes, { mode }] = await Promise.all([readFile(from), stat(from)])
    const place = isUnpacked ? { unpacked: true as const } : { offset: String(offset) }
    const isExecutable = (mode & 0o100) !== 0
    const size = bytes.length
    addFile(header, path, { size, ...(isExecutable && { executable: true }), ...place, integrity: integrityOf(bytes) })
    if (isUnpacked) {
      const to = join(`${archive}.unpacked`, path)
      await mkdir(dirname(to), { recursive: true })
      await copyFile(from, to)
    } else {
      packed.push(from)
      offset += size
    }
  }
  const out = createWriteStream(archive)
  out.write(pickled(JSON.stringify(header)))
  for (const from of packed) out.write(await readFile(from))
  out.end()
  await finished(out)
}

/** Sizes and text as Chromium's Pickle lays them out: each value in 4-byte steps, behind the length of what follows. */
function pickled(text: string): Buffer {
  const bytes = Buffer.from(text)
  const padded = bytes.length + ((4 - (bytes.length % 4)) % 4)
  const head = Buffer.alloc(16 + padded)
  head.writeUInt32LE(4, 0)
  head.writeUInt32LE(8 + padded, 4)
  head.writeUInt32LE(4 + padded, 8)
  head.writeUInt32LE(bytes.length, 12)
  bytes.copy(head, 16)
  return head
}

function addFile(header: FolderNode, path: string, file: FileNode): void {
  const folders = path.split('/')
  const name = folders.pop() ?? ''
  let node = header
  for (const folder of folders) {
    node.files[folder] ??= { files: {} }
    const next = node.files[folder]
    if (!next || !('files' in next)) throw new Error(`${path}: ${folder} is a file`)
    node = next
  }
  node.files[name] = file
}

function integrityOf(bytes: Buffer): FileNode['integrity'] {
  const blocks: string[] = []
  for (let start = 0; start === 0 || start < bytes.length; start += blockSize) {
    blocks.push(sha256(bytes.subarray(start, start + blockSize)))
  }
  return { algorithm: 'SHA256', hash: sha256(bytes), blockSize, blocks }
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
