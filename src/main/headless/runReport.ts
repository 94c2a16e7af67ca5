// The report of a run of a workspace as a web page, by the app's own parts, which only read. Before it stands work.ts.
import { basename, extname } from 'node:path'
import { StudioError } from '../../shared/errors.ts'
import type { ReportJob } from '../../shared/job.ts'
import { gatherReport } from '../app/report/gatherReport.ts'
import { runReportHtml } from '../app/report/runReport.ts'
import { writeReport } from '../app/report/saveReport.ts'
import { detailOf } from '../app/runViews.ts'
import type { Outcome } from './progress.ts'
import { requireFree } from './results.ts'
import { version } from './version.ts'
import { chosenRun, readingFrom, stepNamed } from './workspace.ts'

/** @throws StudioError as {@link reportOf} */
export async function carryOutReport({ workspace, run, step, file }: ReportJob, out: string | null): Promise<Outcome> {
  return await reportOf(workspace, run, { step: step === null ? 'best' : String(step), file: out ?? file })
}

/**
 * @param runId null for the newest
 * @throws StudioError `run.bad-job` for a PDF, `run.output-taken`, `run.missing`, `run.no-checkpoint`, `app.report-not-written`
 */
export async function reportOf(
  workspace: string,
  runId: number | null,
  { step, file }: { readonly step: string; readonly file: string },
): Promise<Outcome> {
  if (extname(file).toLowerCase() === '.pdf') throw needsWindow(file)
  requireFree(file)
  const page = await readingFrom(workspace, async (db) => {
    const run = chosenRun(db, runId)
    const detail = detailOf(db, run, { live: null, waitingFor: null })
    const versions = { 'FiSAO Studio': version, Node: process.versions.node }
    // Null, as the page of a run asks for its best step: a run without a checkpoint has a report too.
    const at = step === 'best' ? null : stepNamed(db, run, step)
    return runReportHtml(gatherReport(db, detail, { step: at, nowMs: Date.now(), versions }))
  })
  await writeReport(file, page)
  return { kind: 'report', said: `the report is in ${file}`, out: file, result: { file } }
}

/** Beside the workspace. */
export function reportBeside(workspace: string): string {
  return `${workspace.slice(0, workspace.length - extname(workspace).length) || basename(workspace)} report.html`
}

function needsWindow(where: string): StudioError {
  return new StudioError({
    code: 'run.bad-job',
    message: 'A report as PDF is printed by the window of the app, which this command does not have.',
    remedy: 'Name a file that ends in .html, and print that from a browser; or save the PDF in the app.',
    where,
  })
}
