// What a page may ask of the images of the open workspace. Imports are imageLibrary.ts's, questions catalogue.ts's, files that
// moved imageFiles.ts's.
import { type ChannelHandlers, done } from '../ipc.ts'
import type { Catalogue } from './catalogue.ts'
import { askImageFiles, askImageFolder, askNewPlace } from './dialogs.ts'
import type { ImageFiles } from './imageFiles.ts'
import type { ImageLibrary } from './imageLibrary.ts'
import { fullPath } from './pagePaths.ts'
import type { Workspaces } from './workspaces.ts'

type ImageChannel = Extract<keyof ChannelHandlers, `images.${string}`>

interface LibraryParts {
  readonly workspaces: Workspaces
  readonly images: ImageLibrary
  readonly catalogue: Catalogue
  readonly imageFiles: ImageFiles
}

export function libraryHandlers({
  workspaces,
  images,
  catalogue,
  imageFiles,
}: LibraryParts): Pick<ChannelHandlers, ImageChannel> {
  return {
    'images.pickFolder': async () => {
      workspaces.require()
      const folder = await askImageFolder()
      return folder === null ? null : { importId: images.importFolder(folder).importId }
    },
    'images.importFolder': ({ folder }) => ({ importId: images.importFolder(fullPath('image', folder)).importId }),
    'images.cancelImport': ({ importId }) => done(images.cancelImport(importId)),
    'images.resumeImport': ({ importId }) => done(images.resumeImport(importId)),
    'images.imports': () => images.imports(),
    'images.importIssues': ({ importId, offset, limit }) => images.issues(importId, offset, limit),
    'images.pickFiles': async () => {
      workspaces.require()
      const paths = await askImageFiles()
      return paths.length === 0 ? null : { importId: images.importPaths(paths).importId }
    },
    'images.importPaths': ({ paths }) => ({
      importId: images.importPaths(paths.map((path) => fullPath('image', path))).importId,
    }),
    'images.count': (params) => catalogue.ask('count', params),
    'images.window': (params) => catalogue.window(params),
    'images.words': (params) => catalogue.ask('words', params),
    'images.checkpoints': () => catalogue.ask('checkpoints', {}),
    'images.tags': () => catalogue.ask('tags', {}),
    'images.tag': (params) => catalogue.tag(params),
    'images.untag': (params) => catalogue.untag(params),
    'images.undoTags': (params) => catalogue.undoTags(params),
    'images.renameTag': (params) => catalogue.renameTag(params),
    'images.remove': (params) => catalogue.remove(params),
    'images.restore': (params) => catalogue.restore(params),
    'images.removals': () => catalogue.ask('removals', {}),
    'images.deletion': (params) => catalogue.ask('deletion', params),
    'images.delete': async ({ removalId }) => ({
      images: await imageFiles.delete(removalId, await catalogue.ask('deletion', { removalId })),
    }),
    'images.missing': () => imageFiles.missing(),
    'images.pickNewPlace': async () => {
      const folder = await askNewPlace()
      return folder === null ? null : { folder }
    },
    'images.relink': ({ from, to }) => imageFiles.relink(fullPath('image', from), fullPath('image', to)),
    'images.cancelRelink': () => done(imageFiles.cancelRelink()),
    'images.get': ({ imageId }) => images.get(imageId),
  }
}
