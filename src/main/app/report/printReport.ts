// A report as PDF: the page that runReport.ts writes, opened in a hidden window that can run nothing and reach nothing, and
// printed by Chromium. Asked by saveReport.ts.
import { BrowserWindow, type Session, session } from 'electron'
import { StudioError } from '../../../shared/errors.ts'
import { appScheme } from '../../protocols.ts'
import { lockSession } from '../../security.ts'

/** By then a page of a few megabytes has been laid out on a slow machine; a report is printed in a second or two. */
const longestPrintMs = 120_000

/** Chromium's own fields, in the margin; no text of a run stands here. */
const pageNumber =
  '<div style="width:100%;padding:0 14mm;font:8px sans-serif;color:#565c66;text-align:right">' +
  '<span class="pageNumber"></span> / <span class="totalPages"></span></div>'

/** Pages that are being printed, by the number in their address. */
const pages = new Map<number, string>()
let lastPage = 0
let reports: Session | null = null

/** A session in memory that has these pages and nothing else: no network, no images of the workspace, no files. */
function reportSession(): Session {
  if (reports) return reports
  reports = session.fromPartition('reports', { cache: false })
  lockSession(reports)
  reports.protocol.handle(appScheme, (request) => {
    const page = pages.get(Number(/^app:\/\/report\/(\d+)$/.exec(request.url)?.[1]))
    if (page === undefined) return new Response('not found', { status: 404 })
    return new Response(page, {
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox",
        'x-content-type-options': 'nosniff',
      },
    })
  })
  return reports
}

/**
 * The page on A4, its margins and page numbers as its style sheet says.
 * @throws StudioError `app.report-not-printed`
 */
export async function printReport(html: string): Promise<Buffer> {
  const page = ++lastPage
  pages.set(page, html)
  const window = new BrowserWindow({
    ...{ show: false, width: 1024, height: 1400, focusable: false, skipTaskbar: true },
    webPreferences: {
      session: reportSession(),
      ...{ javascript: false, sandbox: true, contextIsolation: true, nodeIntegration: false },
      ...{ webviewTag: false, spellcheck: false, plugins: false, disableDialogs: true, images: true },
    },
  })
  let timer: NodeJS.Timeout | null = null
  const tooLong = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not printed within ${longestPrintMs} ms`)), longestPrintMs)
  })
  const ended = new Promise<never>((_resolve, reject) => {
    window.webContents.once('render-process-gone', (_event, { reason }) =>
      reject(new Error(`the page ended: ${reason}`)),
    )
  })
  const printed = async (): Promise<Buffer> => {
    await window.loadURL(`${appScheme}://report/${page}`)
    return await window.webContents.printToPDF({
      ...{ printBackground: true, preferCSSPageSize: true, pageSize: 'A4' },
      ...{ displayHeaderFooter: true, headerTemplate: '<span></span>', footerTemplate: pageNumber },
      ...{ generateTaggedPDF: true, generateDocumentOutline: true },
    })
  }
  try {
    return await Promise.race([printed(), tooLong, ended])
  } catch (thrown) {
    throw new StudioError(
      {
        code: 'app.report-not-printed',
        message: 'The report could not be made into a PDF.',
        remedy: 'Save it as a web page (HTML) instead, and print that from a browser.',
        found: thrown instanceof Error ? thrown.message : String(thrown),
      },
      { cause: thrown },
    )
  } finally {
    if (timer) clearTimeout(timer)
    pages.delete(page)
    // Not close(): nothing of the page has a say in it.
    if (!window.isDestroyed()) window.destroy()
  }
}
