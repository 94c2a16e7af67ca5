// The migrations in order. A new one is appended; one that has landed is never changed (migrate.test.ts
// holds their fingerprints).
import { sql as library } from './0001-library.ts'
import { sql as alignment } from './0002-alignment.ts'
import { sql as responseIndex } from './0003-response-index.ts'
import { sql as integrity } from './0004-integrity.ts'
import { sql as job } from './0005-job.ts'
import { sql as describe } from './0006-describe.ts'
import { sql as libraryQueries } from './0007-library-queries.ts'
import { sql as evaluations } from './0008-evaluations.ts'
import { sql as sweeps } from './0009-sweeps.ts'

export interface Migration {
  /** The schema version after it; `PRAGMA user_version` of the file. */
  readonly version: number
  readonly name: string
  readonly sql: string
}

export const migrations: readonly Migration[] = [
  { version: 1, name: 'library', sql: library },
  { version: 2, name: 'alignment', sql: alignment },
  { version: 3, name: 'response index', sql: responseIndex },
  { version: 4, name: 'integrity', sql: integrity },
  { version: 5, name: 'job', sql: job },
  { version: 6, name: 'describe', sql: describe },
  { version: 7, name: 'library queries', sql: libraryQueries },
  { version: 8, name: 'evaluations', sql: evaluations },
  { version: 9, name: 'sweeps', sql: sweeps },
]
