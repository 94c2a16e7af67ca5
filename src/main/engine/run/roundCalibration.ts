// The calibration that a round of self-alignment goes by: its own, or, when that is refused because hardly a hallucinated
// word is left, the first round's. Before it stands rewards.ts, after it align.ts.
import { joinFindings } from '../../../shared/annotationJoin.ts'
import { StudioError } from '../../../shared/errors.ts'
import { requireBaselines } from '../reward/calibration.ts'
import type { Annotations, FoundCalibration, RunCalibration } from './rewards.ts'

/**
 * @param step at which the round begins
 * @param before of the round before it; null in the first round, which ends the run when its calibration is refused
 * @param options.goOnRefused a person has read the refusals and goes on nevertheless
 * @throws StudioError `run.verifier-cannot-tell`
 */
export function roundCalibration(
  step: number,
  found: FoundCalibration,
  before: RunCalibration | null,
  options: { readonly goOnRefused: boolean; readonly annotations: Annotations | null },
): RunCalibration {
  const annotations = options.annotations?.join ?? null
  if (!before) {
    withFindings(annotations, () => requireBaselines(found.calibration, options.goOnRefused))
    return { ...found, yardstick: found.calibration, kept: [], annotations }
  }
  const { yardstick, kept } = before
  if (canTell(found)) return { ...found, yardstick, kept, annotations }
  // The model says too few wrong words to find their group again: that the first round worked must not end the run.
  const { refusals } = found.calibration
  return { ...found, calibration: yardstick, yardstick, kept: [...kept, { step, refusals }], annotations }
}

function canTell({ calibration }: FoundCalibration): boolean {
  try {
    requireBaselines(calibration, false)
    return true
  } catch (thrown) {
    if (thrown instanceof StudioError && thrown.code === 'run.verifier-cannot-tell') return false
    throw thrown
  }
}

/** Says with a refusal what of the annotations found no partner: it may be why. */
function withFindings(annotations: RunCalibration['annotations'], require: () => unknown): void {
  try {
    require()
  } catch (thrown) {
    const findings = annotations ? joinFindings(annotations, 'calibration') : []
    if (!(thrown instanceof StudioError) || findings.length === 0) throw thrown
    const { code, message, remedy, expected, found, where } = thrown
    throw new StudioError(
      {
        ...{ code, message, remedy: `${findings.join(' ')} ${remedy}` },
        ...(expected !== undefined && { expected }),
        ...(found !== undefined && { found }),
        ...(where !== undefined && { where }),
      },
      { cause: thrown },
    )
  }
}
