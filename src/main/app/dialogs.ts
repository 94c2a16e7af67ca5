// The system's own dialogs in which a person chooses files and folders; null where nothing was chosen. Asked by studio.ts.
import { join } from 'node:path'
import { app, dialog } from 'electron'
import type { Params } from '../../shared/contract.ts'

const workspaceFilter = [{ name: 'FiSAO Studio workspace', extensions: ['fisao'] }]

export async function askNewWorkspace(): Promise<string | null> {
  const { filePath, canceled } = await dialog.showSaveDialog({
    title: 'New workspace',
    defaultPath: join(app.getPath('documents'), 'My images.fisao'),
    filters: workspaceFilter,
    properties: ['showOverwriteConfirmation'],
  })
  return canceled || !filePath ? null : filePath
}

export async function askWorkspace(): Promise<string | null> {
  const { filePaths } = await dialog.showOpenDialog({
    title: 'Open a workspace',
    filters: workspaceFilter,
    properties: ['openFile'],
  })
  return filePaths[0] ?? null
}

export async function askPictureFile(name: string): Promise<string | null> {
  const { filePath, canceled } = await dialog.showSaveDialog({
    title: 'Save as a picture',
    defaultPath: join(app.getPath('pictures'), name),
    filters: [{ name: 'PNG picture', extensions: ['png'] }],
    properties: ['showOverwriteConfirmation'],
  })
  return canceled || !filePath ? null : filePath
}

export async function askReportFile(name: string, format: 'html' | 'pdf'): Promise<string | null> {
  const { filePath, canceled } = await dialog.showSaveDialog({
    title: 'Save the report',
    defaultPath: join(app.getPath('documents'), name),
    filters: [format === 'html' ? { name: 'Web page', extensions: ['html'] } : { name: 'PDF', extensions: ['pdf'] }],
    properties: ['showOverwriteConfirmation'],
  })
  return canceled || !filePath ? null : filePath
}

export async function askImageFolder(): Promise<string | null> {
  return await askFolder('Add a folder of images', 'Add')
}

const pictureFilter = [
  { name: 'Pictures', extensions: ['jpg', 'jpeg', 'jpe', 'jfif', 'png', 'webp', 'avif', 'tif', 'tiff', 'bmp'] },
  { name: 'All files', extensions: ['*'] },
]

/** Single pictures; none when the dialog was closed. */
export async function askImageFiles(): Promise<string[]> {
  const { filePaths } = await dialog.showOpenDialog({
    title: 'Add pictures',
    buttonLabel: 'Add',
    filters: pictureFilter,
    properties: ['openFile', 'multiSelections'],
  })
  return filePaths
}

export async function askNewPlace(): Promise<string | null> {
  return await askFolder('Choose the folder in which the images are now', 'Look here')
}

export async function askModelFolder(purpose: 'model' | 'encoder'): Promise<string | null> {
  const title = purpose === 'model' ? 'Choose the folder of a model' : 'Choose the folder of its encoder'
  return await askFolder(title, 'Choose')
}

export async function askExportFolder(): Promise<string | null> {
  return await askFolder('Choose where the export goes', 'Export here', ['createDirectory'])
}

export async function askWhereSweepGoes(): Promise<string | null> {
  return await askFolder('Choose where the sweep goes: a folder that all machines see', 'Write it here', [
    'createDirectory',
  ])
}

export async function askSweepFolder(): Promise<string | null> {
  return await askFolder('Choose the folder of a sweep', 'Collect')
}

export async function askAnnotationFile(): Promise<string | null> {
  const { filePaths } = await dialog.showOpenDialog({
    title: 'Choose a file of COCO annotations',
    filters: [{ name: 'COCO instances', extensions: ['json'] }],
    properties: ['openFile'],
  })
  return filePaths[0] ?? null
}

/** What an evaluation reads: folders by their title, files with what they end in. */
const evaluationAsks = {
  annotations: ['Choose an instances file of COCO', 'json'],
  questions: ['Choose the questions of POPE', 'json', 'jsonl'],
  queries: ['Choose the queries of AMBER', 'json'],
  'image-folder': ['Choose the folder of the images'],
  'mme-folder': ['Choose the folder of MME'],
  'amber-folder': ['Choose the folder “data” of AMBER'],
} as const satisfies Record<Params<'evaluations.pick'>['what'], readonly [string, ...string[]]>

export async function askEvaluationFile(what: Params<'evaluations.pick'>['what']): Promise<string | null> {
  const [title, ...extensions] = evaluationAsks[what]
  if (extensions.length === 0) return await askFolder(title, 'Choose')
  const filters = [{ name: title, extensions }]
  const { filePaths } = await dialog.showOpenDialog({ title, filters, properties: ['openFile'] })
  return filePaths[0] ?? null
}

export async function askCsvFile(name: string): Promise<string | null> {
  const { filePath, canceled } = await dialog.showSaveDialog({
    title: 'Save table',
    defaultPath: join(app.getPath('documents'), `${name}.csv`),
    filters: [{ name: 'CSV', extensions: ['csv'] }],
    properties: ['showOverwriteConfirmation'],
  })
  return canceled || !filePath ? null : filePath
}

async function askFolder(title: string, buttonLabel: string, more: readonly 'createDirectory'[] = []) {
  const { filePaths } = await dialog.showOpenDialog({ title, buttonLabel, properties: ['openDirectory', ...more] })
  return filePaths[0] ?? null
}
