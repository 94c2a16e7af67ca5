// What the demo was asked for on the command line; scripts/launch.ts has checked the values. After it stand demo.ts and
// demoResult.ts.
import { join } from 'node:path'
import { type DeviceName, deviceNameSchema } from '../../../shared/hardware.ts'
import type { PresetName, RunConfig } from '../../../shared/runConfig.ts'

/** What was asked for on the command line; scripts/launch.ts has checked the values. */
export interface DemoOptions {
  readonly out: string
  readonly seed: number
  readonly preset: PresetName
  readonly reward: RunConfig['reward']['method']
  readonly calibration: RunConfig['calibration']['method']
  /** Sample scenes that are aligned on; all when null. */
  readonly images: number | null
  /** Steps of a round; the preset's when null. */
  readonly steps: number | null
  /** Null for the fastest device that is right. */
  readonly device: DeviceName | null
  /** A folder with `images` and `annotations.json` that the model has not seen; the sample scenes when null. */
  readonly heldOut: string | null
  /** A model folder with its companion in `encoder`, in place of the demo model. */
  readonly model: string | null
  /** Goes on with the run that an earlier demo left in its workspace. */
  readonly resume: boolean
  /** Goes on although the verifier cannot tell. */
  readonly force: boolean
  /** Makes the run's placebo too, and judges both. */
  readonly placebo: boolean
}

/** The demo's switches, by the names that scripts/launch.ts documents. */
export function demoOptions(has: (name: string) => boolean, value: (name: string) => string): DemoOptions {
  const orNull = (name: string) => (value(name) === '' ? null : value(name))
  const number = (name: string) => (value(name) === '' ? null : Number(value(name)))
  const device = deviceNameSchema.safeParse(value('device'))
  return {
    out: orNull('out') ?? join(process.cwd(), 'demo-output'),
    seed: number('seed') ?? 1,
    preset: (orNull('preset') ?? 'quick-look') as DemoOptions['preset'],
    reward: (orNull('reward') ?? 'token') as DemoOptions['reward'],
    calibration: (orNull('calibration') ?? 'free') as DemoOptions['calibration'],
    images: number('images'),
    steps: number('steps'),
    device: device.success ? device.data : null,
    heldOut: orNull('held-out'),
    model: orNull('model'),
    resume: has('resume'),
    force: has('force'),
    placebo: has('placebo'),
  }
}
