// A worker of claims.test.ts: takes cells until none is left, and counts each by a file that nobody can make twice.
// Arguments: the folder of the sweep, and one to count in.
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Claims } from '../claims.ts'

const [folder = '', counted = ''] = process.argv.slice(2)
const claims = new Claims(folder)
for (let cell = claims.take(); cell !== null; cell = claims.take()) {
  closeSync(openSync(join(counted, String(cell)), 'wx'))
  // So that the others come to their turn between two cells.
  await delay(1)
  claims.close(cell)
}
claims.leave()
