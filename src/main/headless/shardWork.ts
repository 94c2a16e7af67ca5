// `work` in the folder of a shared run: takes part in its responses until it ends (engine/jobs/sharedRun.ts). Before it stands
// the command line.
import { workOnRun } from '../engine/jobs/sharedRun.ts'
import type { Outcome } from './progress.ts'
import { version } from './version.ts'
import type { Work } from './work.ts'

/**
 * @param threads of the processor; null for all cores
 * @throws StudioError `run.bad-share`, `run.cancelled`, and what opening the model throws
 */
export async function shareIn(
  folder: string,
  staleMs: number,
  threads: number | null,
  { reporter, stopping }: Work,
): Promise<Outcome> {
  let [shards, responses] = [0, 0]
  await workOnRun({
    ...{ folder, staleMs, threads, appVersion: version, signal: stopping.signal },
    note: (text) => reporter.note(text),
    onAnswered: (answered) => {
      shards++
      responses += answered
      // Nobody knows how many there will be.
      reporter.progress({ done: responses, total: 0, phase: 'answering', remainingMs: null })
    },
  })
  const said = `${responses} responses given in ${shards} shards; the run has ended or its learner is gone`
  return { kind: 'work', said, out: folder, result: { shards, responses } }
}
