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

export async function askImageFolder(): Promise<string | null> {
  return await askFolder('Add a folder of images', 'Add')
}

export async function askModelFolder(purpose: 'model' | 'encoder'): Promise<string | null> {
  const title = purpose === 'model' ? 'Choose the folder of a model' : 'Choose the folder of its encoder'
  return await askFolder(title, 'Choose')
}

export async function askExportFolder(): Promise<string | null> {
  return await askFolder('Choose where the export goes', 'Export here', ['createDirectory'])
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
