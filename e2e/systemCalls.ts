// Runs a program under strace and reads what it and all its children asked of the kernel: sockets, files written,
// files opened. Linux only. Before it: a spec that starts the app; after it: that spec's expectations.
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** Calls that open a way to somewhere, and calls that change a file or a folder. Reading from a socket is neither. */
const traced = [
  ...['socket', 'connect', 'bind', 'sendto', 'sendmsg', 'sendmmsg', 'execve'],
  ...['open', 'openat', 'openat2', 'creat', 'truncate', 'mkdir', 'mkdirat', 'rmdir', 'unlink', 'unlinkat'],
  ...['rename', 'renameat', 'renameat2', 'link', 'linkat', 'symlink', 'symlinkat', 'chmod', 'fchmodat', 'mknod'],
  ...['chown', 'lchown', 'fchownat', 'utimensat', 'setxattr'],
]

export interface SystemCall {
  readonly name: string
  /** As strace writes it: name, arguments, result. */
  readonly line: string
  /** Absolute paths among its arguments, with the folder that a relative one starts from. */
  readonly paths: readonly string[]
  readonly succeeded: boolean
}

/** What stands before an executable and its arguments so that its calls, and those of its children, are recorded. */
export function tracingCommand(folder: string): string[] {
  // One file a thread, so that no call is cut in two by another thread's.
  const options = ['-ff', '--seccomp-bpf', '-qq', '-y', '-s', '400', '-e', `trace=${traced.join(',')}`]
  return ['strace', ...options, '-o', join(folder, 'trace')]
}

/**
 * Runs a program to its end.
 * @param folder takes the traces
 * @returns what it printed
 * @throws Error when it fails; its error output is in the message
 */
export async function runTraced(
  folder: string,
  executable: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<string> {
  mkdirSync(folder)
  const [strace = '', ...options] = tracingCommand(folder)
  return await new Promise((done, reject) => {
    execFile(strace, [...options, executable, ...args], { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${error.message}\n${stderr}`)) : done(stdout),
    )
  })
}

/** Every traced call of the program and its children. */
export function systemCalls(folder: string): SystemCall[] {
  return readdirSync(folder).flatMap((file) =>
    readFileSync(join(folder, file), 'utf8')
      .split('\n')
      .flatMap((line) => parse(line) ?? []),
  )
}

function parse(line: string): SystemCall | null {
  const [, name] = /^(\w+)\(/.exec(line) ?? []
  if (name === undefined) return null
  const succeeded = / = \d/.test(line.slice(line.lastIndexOf(')')))
  return { name, line, paths: name === 'execve' ? [] : pathsIn(line), succeeded }
}

/** `openat(AT_FDCWD</home/a>, "b.txt", …)` names `/home/a/b.txt`; sockets and their messages name no path. */
function pathsIn(line: string): string[] {
  if (/^(socket|connect|bind|send)/.test(line)) return []
  const found = line.matchAll(/(?:(?:AT_FDCWD|\d+)<((?:[^>\\]|\\.)*)>, )?"((?:[^"\\]|\\.)*)"/g)
  const paths = [...found].map(([, folder = '/', path = '']) => resolve(folder, path))
  // What a symbolic link says is a text; the link itself is made.
  return line.startsWith('symlink') ? paths.slice(-1) : paths
}

const writing = /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/

/** Paths that were made, changed or removed, or that something opened so that it could. */
export function pathsWritten(calls: readonly SystemCall[]): string[] {
  const written = calls.filter(
    ({ name, line, succeeded }) => succeeded && name !== 'execve' && (!name.startsWith('open') || writing.test(line)),
  )
  return unique(written.flatMap(({ paths }) => paths))
}

/** Paths that were opened or looked for, for whatever purpose. */
export function pathsOpened(calls: readonly SystemCall[]): string[] {
  return unique(calls.filter(({ name }) => name.startsWith('open')).flatMap(({ paths }) => paths))
}

/**
 * Calls that reach for another machine, or stand ready for one. Left out are sockets within the machine (AF_UNIX), and
 * what Chromium asks the kernel about its network cards on the way to knowing whether there is a network at all: a
 * netlink socket, and a datagram socket that is given to `ioctl` only. Whatever one of those would send or be bound to
 * is a call of its own, and counts.
 */
export function networkCalls(calls: readonly SystemCall[]): string[] {
  const isLocal =
    /^socket\((AF_UNIX,|AF_NETLINK, [^)]*NETLINK_(ROUTE|KOBJECT_UEVENT)\)|AF_INET6, SOCK_DGRAM, IPPROTO_IP\))/
  return unique(
    calls
      .filter(({ name, line }) => {
        if (name === 'socket') return !isLocal.test(line)
        return /sa_family=(?!AF_UNIX|AF_NETLINK|AF_UNSPEC)/.test(line)
      })
      .map(({ line }) => line),
  )
}

/** The sockets of services on this machine that were asked for something, by their path. */
export function localServices(calls: readonly SystemCall[]): string[] {
  const asked = calls.flatMap(({ name, line }) =>
    name === 'connect' ? (/sun_path=(@?"[^"]*")/.exec(line)?.[1] ?? []) : [],
  )
  return unique(asked.map((path) => path.replaceAll('"', '')))
}

/** Whether `path` is one of the folders or in one of them. */
export function isWithin(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`))
}

function unique(lines: readonly string[]): string[] {
  return [...new Set(lines)].sort()
}
