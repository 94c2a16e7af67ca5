// `npm run licences`: writes resources/THIRD-PARTY.txt, the licence texts of every package whose code is in the app, from
// the lock file and node_modules. Its test fails when the file is not what this writes.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { projectRoot } from '../runProgram.ts'
import { bundledPackages, importedPackages, type LockedPackage, readLockFile, type Target } from './lockFile.ts'

export const licenceFile = 'resources/THIRD-PARTY.txt'
const sources = ['src/renderer', 'src/preload', 'src/shared', 'src/main']

/** Who holds the rights in packages whose archive on the registry brings no licence text, as their repositories say. */
const holders: Readonly<Record<string, string>> = {
  'onnxruntime-common': 'Copyright (c) Microsoft Corporation',
  'onnxruntime-node': 'Copyright (c) Microsoft Corporation',
  'react-remove-scroll-bar': 'Copyright (c) 2017 Anton Korzunov',
}

const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.`

const head = `Software in FiSAO Studio that others wrote
==========================================

Packages from the npm registry, with their licences. Electron, Chromium and all that they contain are named in
LICENSE.electron.txt and LICENSES.chromium.html.gz beside the program, Node.js, which runs fisao-studio-run, in
LICENSE.node.txt. ONNX Runtime (in onnxruntime-node) contains further software: its notices are at
https://github.com/microsoft/onnxruntime/blob/main/ThirdPartyNotices.txt. SQLite (in better-sqlite3) is in the public
domain. Art, font, icons and words are named in NOTICE.
`

/** Packages whose code an installer holds. @param target null for those of all systems */
export function packagesInApp(root: string, target: Target): LockedPackage[] {
  return bundledPackages(readLockFile(root), importedPackages(sources.map((folder) => join(root, folder))), target)
}

/**
 * The text of the licence file: each text once, below the packages that it is for.
 * @throws Error naming a package that brings no licence text and is not known here
 */
export function licenceTexts(root: string): string {
  const byText = new Map<string, string[]>()
  for (const one of packagesInApp(root, null)) {
    const text = textOf(root, one)
    byText.set(text, [...(byText.get(text) ?? []), `${one.name} ${one.version} (${one.licence})`])
  }
  const parts = [...byText].map(([text, names]) => {
    const title = [...new Set(names)].sort().join('\n')
    return `\n\n${title}\n${'-'.repeat(Math.max(...title.split('\n').map((line) => line.length)))}\n\n${text}\n`
  })
  return head + parts.sort().join('')
}

function textOf(root: string, { path, name, licence }: LockedPackage): string {
  const folder = join(root, path)
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
  if (files.length > 0) {
    return files
      .sort()
      .map((file) => tidy(readFileSync(join(folder, file), 'utf8')))
      .join('\n\n')
  }
  const holder = holders[name]
  if (holder !== undefined && licence === 'MIT') return `${holder}\n\n${mit}`
  throw new Error(`${name} has no licence text (${licence}). Look it up in its repository and name its holder here.`)
}

/** The same text whatever its line ends, so that equal licences are written once. */
function tidy(text: string): string {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.trimEnd())
    .join('\n')
    .trim()
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(join(projectRoot, licenceFile), licenceTexts(projectRoot))
  process.stdout.write(`wrote ${licenceFile}\n`)
}
