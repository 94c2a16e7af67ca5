// A small measurement of what a run would do.
import { StudioError } from '../../../shared/errors.ts'
import type { CheckMeasurement } from '../../../shared/runCheck.ts'

export async function checkRun(): Promise<CheckMeasurement> {
  throw new StudioError({
    code: 'run.no-check',
    message: 'Runs cannot be measured yet.',
    remedy: 'Start the run; the time left is known after the first steps.',
  })
}
