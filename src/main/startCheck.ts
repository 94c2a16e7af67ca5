// The first thing that runs in the packaged app: ends it when its command line could open it to others. Chromium looks
// at most of its switches only after this. Development starts with whatever Playwright and a debugger need.
import { app, dialog } from 'electron'
import { refusalOf, refusedWord } from './startSwitches.ts'

const exitCodeOnRefusal = 64

if (app.isPackaged) {
  const word = refusedWord(process.argv.slice(1), {
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
  })
  if (word !== null) {
    // On Linux, where no window can be shown yet, Electron prints it.
    dialog.showErrorBox('FiSAO Studio', refusalOf(word))
    process.exit(exitCodeOnRefusal)
  }
}
