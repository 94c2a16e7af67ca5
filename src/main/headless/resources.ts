// Where the product's own files lie: lexicons, demo model, sample scenes. For a launcher of a package: either nothing is
// told, and a folder `resources` with `lexicons` in it is looked for beside `out`'s folder and up to four folders above it;
// or the variable FISAO_RESOURCES, or the option --resources, names that folder. So all of these are found untold:
//
//   CHECKOUT/out/headless/run.js, CHECKOUT/src/main/headless/run.ts   CHECKOUT/resources
//   APP/resources/app/out/headless/run.js                             APP/resources/resources
//   APP/resources/app.asar.unpacked/out/headless/run.js               APP/resources/resources
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { StudioError } from '../../shared/errors.ts'

export const resourcesVariable = 'FISAO_RESOURCES'

/** From out/headless to the folder of the installed program. */
const foldersAbove = 5

/**
 * @param named by a person, before everything else
 * @param from the folder of the running file
 * @throws StudioError `app.no-resources`
 */
export function resourcesFolder(
  named: string | null,
  from: string = import.meta.dirname,
  env: NodeJS.ProcessEnv = process.env,
): string {
  const told = named ?? (env[resourcesVariable] || null)
  const tried = told === null ? foldersUp(from).map((folder) => join(folder, 'resources')) : [told]
  const found = tried.find(isResources)
  if (found !== undefined) return found
  throw new StudioError({
    code: 'app.no-resources',
    message: 'The program’s own folder of lexicons and demo model is not there.',
    remedy: `Name it with --resources or ${resourcesVariable}, or name your own --lexicon.`,
    expected: 'a folder with lexicons in it',
    where: tried[0] ?? from,
  })
}

function foldersUp(from: string): string[] {
  const folders: string[] = []
  for (let folder = dirname(from); folders.length < foldersAbove; folder = dirname(folder)) folders.push(folder)
  return folders
}

function isResources(folder: string): boolean {
  const lexicons = join(folder, 'lexicons')
  return existsSync(lexicons) && statSync(lexicons).isDirectory()
}
