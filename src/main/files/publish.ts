// Files on a file system that several machines share, written so that whoever reads sees one whole or not at all: beside it,
// flushed, renamed, the folder flushed. Before it stand sweeps (headless) and shared runs (engine/pool).
import { createHash } from 'node:crypto'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'

/** Lower-case hexadecimal SHA-256 of a file. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  const file = await open(path)
  try {
    for await (const chunk of file.createReadStream({ autoClose: false })) hash.update(chunk as Buffer)
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}

/** Puts a text in the place of a file: written beside it, flushed, renamed, the folder flushed. */
export async function publishText(path: string, text: string): Promise<void> {
  await publish(path, async (file) => {
    await file.writeFile(text)
    return ''
  })
}

/**
 * Puts a copy of a local file there in the same way.
 * @param nameOf the name in the folder, by the copy's SHA-256
 */
export async function publishCopy(
  source: string,
  folder: string,
  nameOf: (sha256: string) => string,
): Promise<{ file: string; sha256: string; sizeBytes: number }> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  const from = await open(source)
  try {
    const name = await publish(
      join(folder, 'copy'),
      async (file) => {
        const buffer = Buffer.alloc(8 * 1024 * 1024)
        for (;;) {
          const { bytesRead } = await from.read(buffer, 0, buffer.length, sizeBytes)
          if (bytesRead === 0) break
          hash.update(buffer.subarray(0, bytesRead))
          await file.writeFile(buffer.subarray(0, bytesRead))
          sizeBytes += bytesRead
        }
        return hash.copy().digest('hex')
      },
      nameOf,
    )
    return { file: name, sha256: hash.digest('hex'), sizeBytes }
  } finally {
    await from.close()
  }
}

/** Names of files that are being written, or were left when their writer ended. */
export const unfinishedName = /^\.fisao-.*\.part$/
let written = 0

async function publish(
  path: string,
  /** Gives what the name is made of. */
  write: (file: Awaited<ReturnType<typeof open>>) => Promise<string>,
  nameOf: (sha256: string) => string = () => basename(path),
): Promise<string> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true })
  const unfinished = join(folder, `.fisao-${hostname().slice(0, 60)}-${process.pid}-${++written}.part`)
  try {
    // As workspaces are: for their owner alone.
    const file = await open(unfinished, 'wx', 0o600)
    let name: string
    try {
      name = nameOf(await write(file))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, join(folder, name))
    await flushFolder(folder)
    return name
  } finally {
    await rm(unfinished, { force: true })
  }
}

/** Makes a rename last; Windows has no such call and needs none. */
async function flushFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
