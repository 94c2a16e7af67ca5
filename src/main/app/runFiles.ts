// What a run is written down as: exports of a step and reports, each where a person wants it.
import { rm } from 'node:fs/promises'
import { app, shell } from 'electron'
import type { Params, Result } from '../../shared/contract.ts'
import { unfinishedSuffix } from '../../shared/fileName.ts'
import type { ChannelHandlers } from '../ipc.ts'
import { showFolder } from '../security.ts'
import { askExportFolder, askReportFile } from './dialogs.ts'
import type { Engine } from './engine.ts'
import type { Everywhere } from './everywhere.ts'
import { newExportFolder } from './exportFolder.ts'
import { gatherReport } from './report/gatherReport.ts'
import { printReport } from './report/printReport.ts'
import { runReportHtml } from './report/runReport.ts'
import { reportFileName, writeReport } from './report/saveReport.ts'
import type { RunQueue } from './runQueue.ts'
import type { Workspaces } from './workspaces.ts'

type FileChannel = 'runs.export' | 'runs.showExport' | 'runs.report' | 'runs.showReport'

export interface RunFileParts {
  readonly workspaces: Workspaces
  readonly runs: RunQueue
  readonly engine: Engine
  readonly everywhere: Everywhere
}

export class RunFiles {
  readonly #parts: RunFileParts
  /** Written since the start. */
  readonly #exportFolders = new Set<string>()
  #lastReport: string | null = null

  constructor(parts: RunFileParts) {
    this.#parts = parts
  }

  handlers(): Pick<ChannelHandlers, FileChannel> {
    return {
      'runs.export': (params) => this.exportRun(params),
      // Only what was written here: a page names no folder of its own.
      'runs.showExport': async ({ folder }) => {
        if (this.#exportFolders.has(folder)) await showFolder(folder)
        return {}
      },
      'runs.report': (params) => this.saveReport(params),
      'runs.showReport': () => {
        if (this.#lastReport !== null) shell.showItemInFolder(this.#lastReport)
        return {}
      },
    }
  }

  async exportRun({ runId, step, strength, merged }: Params<'runs.export'>): Promise<Result<'runs.export'>> {
    const { path } = this.#parts.workspaces.requireShown()
    const { run } = this.#parts.runs.get(runId)
    const parent = await askExportFolder()
    if (parent === null) return null
    const folder = await newExportFolder(parent, run.name, step)
    try {
      const title = `Export of “${run.name}”`
      await this.#parts.everywhere.activities.during({ kind: 'export', title }, () =>
        this.#parts.engine.client.request('exportRun', { workspace: path, runId, step, strength, folder, merged }),
      )
    } catch (error) {
      // An engine that was ended from outside could not take it away itself.
      await rm(`${folder}${unfinishedSuffix}`, { recursive: true, force: true })
      throw error
    }
    this.#exportFolders.add(folder)
    return { folder }
  }

  /** Asks for a file and writes the report of a run into it; nothing is written into the workspace. */
  async saveReport({ runId, step, format }: Params<'runs.report'>): Promise<Result<'runs.report'>> {
    const versions = { 'FiSAO Studio': app.getVersion(), Electron: process.versions.electron ?? '' }
    const { db } = this.#parts.workspaces.requireShown()
    // Before the dialog: while it is open, another workspace may take the place of this one.
    const report = gatherReport(db, this.#parts.runs.get(runId), { step, nowMs: Date.now(), versions })
    const path = await askReportFile(reportFileName(report.title, report.steps.best, format), format)
    if (path === null) return null
    const page = runReportHtml(report)
    await writeReport(path, format === 'html' ? page : await printReport(page))
    this.#lastReport = path
    return { path }
  }
}
