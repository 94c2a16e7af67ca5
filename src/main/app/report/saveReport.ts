// A report in a file that a person chooses. It appears under its name when it is whole; until then it is called so with
// `unfinishedSuffix`. Asked by studio.ts.
import { open, rename, rm } from 'node:fs/promises'
import { StudioError } from '../../../shared/errors.ts'
import { fileNameOf, unfinishedSuffix, utf8Bytes } from '../../../shared/fileName.ts'

export type ReportFormat = 'html' | 'pdf'

/** What a report is called unless the person says otherwise. */
export function reportFileName(runName: string, step: number, format: ReportFormat): string {
  const suffix = ` step ${step} report.${format}`
  return `${fileNameOf(runName, utf8Bytes(suffix) + unfinishedSuffix.length, 'Run')}${suffix}`
}

/** @throws StudioError `app.report-not-written`; what was there before is left as it was */
export async function writeReport(path: string, content: string | Buffer): Promise<void> {
  const unfinished = `${path}${unfinishedSuffix}`
  try {
    const file = await open(unfinished, 'w')
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, path)
  } catch (thrown) {
    await rm(unfinished, { force: true }).catch(() => undefined)
    throw new StudioError(
      {
        code: 'app.report-not-written',
        message: 'The report could not be written there. Nothing of it was left behind.',
        remedy: 'Choose a folder that you may write to, on a disk with room.',
        found: (thrown as NodeJS.ErrnoException).code ?? String(thrown),
        where: path,
      },
      { cause: thrown },
    )
  }
}
