// What often stands in a model folder under a file's name and is not that file: a placeholder of Git LFS, a page of a
// server, nothing at all. Asked by whoever reads a file's first bytes, so that a person is told what to fetch.

/** As many first bytes of a file as tell. */
export const standInBytes = 512

/** Why this is not the file that its name says, and what helps. */
export interface StandIn {
  /** One sentence about "it", the file. */
  readonly what: string
  readonly remedy: string
}

const again = 'Download the file again; a browser or git alone often leaves out what is large or asks for a login.'

/**
 * @param head the first {@link standInBytes} bytes of a file, or all of it
 * @returns null for what may be the file itself
 */
export function standIn(head: string): StandIn | null {
  if (head.startsWith('version https://git-lfs.github.com/spec/')) {
    const size = /^size (\d{1,15})$/m.exec(head)?.[1]
    return {
      what: `It is a placeholder of Git LFS: the file itself${size ? ` (${inWords(Number(size))})` : ''} was not downloaded.`,
      remedy: 'Run "git lfs pull" in the folder, or download the file again.',
    }
  }
  const start = head.replace(/^\ufeff/, '').trimStart()
  if (head.length === 0) return { what: 'It is empty: its download did not finish.', remedy: again }
  if (head.length === standInBytes && /^\0+$/.test(head))
    return { what: 'It holds zeros only: its download did not finish.', remedy: again }
  if (/^<(!doctype|html|\?xml)/i.test(start))
    return { what: 'It is a page of a web site, not the file.', remedy: again }
  if (/^(Entry not found|Access to model|Repository Not Found|Invalid username|Unauthorized|<Error>)/i.test(start)) {
    return { what: 'It is the answer of a server that did not give the file.', remedy: again }
  }
  return null
}

/** 4991495816 as "5.0 GB". */
function inWords(bytes: number): string {
  const [unit, name] = (
    [
      [1e9, 'GB'],
      [1e6, 'MB'],
      [1e3, 'kB'],
    ] as const
  ).find(([size]) => bytes >= size) ?? [1, 'bytes']
  return `${unit === 1 ? bytes : (bytes / unit).toFixed(1)} ${name}`
}
