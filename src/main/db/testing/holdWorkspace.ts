// A process for owner.test.ts: claims the workspace, says whether it got it, and lets go when its input ends.
import { once } from 'node:events'
import { openWorkspace } from '../open.ts'
import { forgetOwner, lockWorkspace, recordOwner } from '../owner.ts'

const [path = ''] = process.argv.slice(2)
const lock = lockWorkspace(path)
if (lock) {
  const db = openWorkspace(path)
  recordOwner(db, '1.0.0', Date.now())
  process.stdout.write('owner\n')
  await once(process.stdin.resume(), 'end')
  forgetOwner(db)
  db.close()
  lock.release()
} else {
  process.stdout.write('in use\n')
}
