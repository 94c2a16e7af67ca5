// The two addresses the renderer may load: `app://studio/…` (its own files) and
// `studio-image://<workspace key>/…` (images that the open workspace knows, nothing else).
import { type FileHandle, readFile } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import { Readable } from 'node:stream'
import { protocol, type Session } from 'electron'
import { detectFormat } from '../shared/imageSignature.ts'
import { isUprightOnPage } from './files/orientation.ts'
import { Gate, openRegularFile, withinMs } from './files/regularFile.ts'

export const appScheme = 'app'
export const imageScheme = 'studio-image'

/** The page's policy: own scripts and styles, registered images, no connection anywhere. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  // Mantine writes its style variables into style elements.
  "style-src 'self' 'unsafe-inline'",
  `img-src 'self' ${imageScheme}: data:`,
  "font-src 'self'",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.woff2': 'font/woff2',
}

/** Declares both schemes to Chromium; must run before the app is ready. */
export function declareSchemes(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: appScheme, privileges: { standard: true, secure: true, codeCache: true } },
    { scheme: imageScheme, privileges: { standard: true, secure: true, stream: true } },
  ])
}

/** Serves the built renderer from `folder`; whatever resolves outside of it does not exist. */
export function serveApp(session: Session, folder: string): void {
  session.protocol.handle(appScheme, async (request) => {
    const path = pathIn(folder, request.url)
    if (path === null) return notFound()
    const type = contentTypes[extname(path)]
    if (type === undefined) return notFound()
    try {
      return new Response(new Uint8Array(await readFile(path)), {
        headers: {
          'content-type': type,
          'content-security-policy': contentSecurityPolicy,
          'x-content-type-options': 'nosniff',
        },
      })
    } catch {
      return notFound()
    }
  })
}

/** The file that an address names, or null when it names none: another host, a way out of the folder, broken escapes. */
function pathIn(folder: string, address: string): string | null {
  const url = URL.parse(address)
  if (url?.host !== 'studio') return null
  try {
    const path = normalize(join(folder, decodeURIComponent(url.pathname)))
    return path.startsWith(folder + sep) ? path : null
  } catch {
    // `%` and the like, which stand for no character.
    return null
  }
}

/** Where registered images come from: the workspace that is open now. */
export interface ImageSource {
  /** True when `workspaceKey` names the opening that is current. */
  isCurrent(workspaceKey: string): boolean
  /** The thumbnail's bytes, or null when no such image is registered. */
  thumbnail(imageId: number): Buffer | null
  /** The original's path and media type, or null when no such image is registered. */
  original(imageId: number): { path: string; mediaType: string } | null
  /** The same of an image of an evaluation, which may lie outside the workspace. */
  evaluated(evaluationId: number, item: number): { path: string; mediaType: string } | null
  /** The picture of a file as JPEG where a page would lay the file itself in another way, or not show it; or null. */
  forPage(path: string): Promise<Uint8Array | null>
}

/** Serves thumbnails and originals of registered images. */
export function serveImages(session: Session, source: ImageSource): void {
  session.protocol.handle(imageScheme, async (request) => {
    const url = URL.parse(request.url)
    const match = /^\/(thumbnail|full|evaluated)\/(\d{1,15})(?:\/(\d{1,15}))?$/.exec(url?.pathname ?? '')
    if (!url || !match || !source.isCurrent(url.host)) return notFound()
    const [id, item] = [Number(match[2]), match[3]]
    if (match[1] === 'evaluated')
      return await originalResponse(source, item ? source.evaluated(id, Number(item)) : null)
    if (item !== undefined) return notFound()
    return match[1] === 'thumbnail'
      ? thumbnailResponse(source, id)
      : await originalResponse(source, source.original(id))
  })
}

function thumbnailResponse(source: ImageSource, imageId: number): Response {
  const bytes = source.thumbnail(imageId)
  if (!bytes) return notFound()
  return new Response(new Uint8Array(bytes), {
    headers: { 'content-type': 'image/webp', 'cache-control': 'max-age=86400' },
  })
}

/** Originals that are read at once: two of the four threads that the app's own files need too. */
const originalsGate = new Gate(2)
/** How long a person waits for an original before its thumbnail has to do. */
const longestWaitMs = 5000

interface Original {
  readonly path: string
  readonly mediaType: string
}

async function originalResponse(source: ImageSource, original: Original | null): Promise<Response> {
  if (!original) return notFound()
  try {
    const leave = await originalsGate.enter(longestWaitMs)
    try {
      return await sendOriginal(source, original, leave)
    } catch (thrown) {
      leave()
      throw thrown
    }
  } catch {
    // Moved, deleted or replaced since it was imported, or on a drive that does not answer; the page shows its
    // thumbnail and says so.
    return notFound()
  }
}

async function sendOriginal(
  source: ImageSource,
  { path, mediaType }: Original,
  onClose: () => void,
): Promise<Response> {
  const { file, stats } = await openRegularFile(path, longestWaitMs)
  const jpeg = await madeForPage(source, path, file).catch((thrown: unknown) => {
    // Not waited for: on a drive that is gone it may never come back.
    file.close().catch(() => undefined)
    throw thrown
  })
  if (jpeg) {
    await file.close()
    onClose()
    return new Response(new Uint8Array(jpeg), { headers: { 'content-type': 'image/jpeg' } })
  }
  // As long as it was when it was opened: one that grows has no end to wait for.
  const stream = file.createReadStream({ start: 0, end: Math.max(0, stats.size - 1) }).once('close', onClose)
  const body = Readable.toWeb(stream) as ReadableStream<Uint8Array>
  return new Response(body, { headers: { 'content-type': mediaType, 'content-length': String(stats.size) } })
}

/** All of a JPEG before its data, but for one with several large profiles. */
const headBytes = 256 * 1024
/** A large picture on a slow machine. Later than this, the file itself is sent. */
const longestMakingMs = 15_000

/** The picture that is to be sent in the place of its file; null when the file can be. */
async function madeForPage(source: ImageSource, path: string, file: FileHandle): Promise<Uint8Array | null> {
  const { buffer, bytesRead } = await withinMs(longestWaitMs, file.read(Buffer.alloc(headBytes), 0, headBytes, 0))
  const head = buffer.subarray(0, bytesRead)
  const format = detectFormat(head)
  if (format === null || format === 'avif' || format === 'bmp') return null
  if (format === 'jpeg' && isUprightOnPage(head, format)) return null
  // A picture that cannot be made is shown as far as the page can show its file.
  return await withinMs(longestMakingMs, source.forPage(path)).catch(() => null)
}

function notFound(): Response {
  return new Response('not found', { status: 404 })
}
