// Which images a step responds to, and how long the steps take: the clock of align.ts.
import { StudioError } from '../../../shared/errors.ts'
import { imageSplit, type RunConfig } from '../../../shared/runConfig.ts'
import type { RunPhase, RunProgress } from '../../../shared/runProgress.ts'
import { Rng } from '../rng.ts'

/** Durations by phase since the last commit, milliseconds. */
export type StepTimes = Readonly<Record<RunPhase, number>>

/**
 * The images of a step. Every image has its turn before one comes again; the order of each pass follows from the
 * generator alone, so a resumed run sees the same ones. DPO asks for several responses to each.
 * @param rng at the beginning of its stream
 * @param count responses; those of a step when left out
 */
export function chosenImages<Image>(
  images: readonly Image[],
  { rollout, reward, optimiser }: RunConfig,
  rng: Rng,
  step: number,
  count = rollout.responsesPerStep,
): Image[] {
  const each = reward.method === 'dpo' ? optimiser.dpoResponses : 1
  const different = Math.max(1, Math.floor(count / each))
  const orders = new Map<number, number[]>()
  const imageAt = (position: number): Image => {
    const pass = Math.floor(position / images.length)
    const order = orders.get(pass) ?? images.map((_, i) => i)
    if (!orders.has(pass)) {
      rng.fork(pass).shuffle(order)
      orders.set(pass, order)
    }
    return images[order[position % images.length] as number] as Image
  }
  return Array.from({ length: different }, (_, i) => imageAt(step * different + i)).flatMap((image) =>
    new Array<Image>(each).fill(image),
  )
}

/** The stream of a run's random numbers that parts its images; align.ts has the others. */
const splitStream = 6

/**
 * Images to look at, and others to train on, so many as `imageSplit` says. Drawn by the seed.
 * @throws StudioError `run.too-few-images`
 */
export function splitImages<Image>(
  all: readonly Image[],
  config: RunConfig,
  seed: number,
): { images: Image[]; validation: Image[] } {
  if (all.length < 3) {
    throw new StudioError({
      code: 'run.too-few-images',
      message: 'There are too few images in this workspace to align a model with.',
      remedy: 'Add a folder of images; a few hundred are a good start.',
      expected: 'at least 3 images',
      found: `${all.length}`,
    })
  }
  const order = [...all]
  new Rng({ seed }).fork(splitStream).shuffle(order)
  const { training, validation } = imageSplit(all.length, config)
  return { validation: order.slice(0, validation), images: order.slice(validation, validation + training) }
}

/** Share of the steps after which their times are taken to be typical. */
const reliableShare = 0.05

/** Times the phases of a run, and tells how long the rest will take. */
export class StopWatch {
  readonly #totalSteps: number
  readonly #report: (progress: RunProgress) => void
  #times = emptyTimes()
  /** Of the steps in this process. */
  #startedStep = 0
  #startedMs: number | null = null

  constructor(totalSteps: number, report: (progress: RunProgress) => void) {
    this.#totalSteps = totalSteps
    this.#report = report
  }

  /** Says that a phase begins. @param share of weights that are made ready, in the phase of opening */
  enter(phase: RunPhase, step: number, share?: number): void {
    const progress = { phase, step, totalSteps: this.#totalSteps, remainingMs: this.#remainingMs(step) }
    this.#report({ ...progress, ...(share !== undefined && { share }) })
  }

  /** The run goes on after this step; a new one is timed from its first commit on, without its calibration. */
  resume(step: number): void {
    this.#startedStep = step
    if (step > 0) this.#startedMs = performance.now()
  }

  async time<Result>(phase: RunPhase, step: number, work: () => Promise<Result>): Promise<Result> {
    this.enter(phase, step)
    const startMs = performance.now()
    const result = await work()
    this.#times[phase] += performance.now() - startMs
    return result
  }

  /** The times since they were last taken. */
  takeTimes(): StepTimes {
    this.#startedMs ??= performance.now()
    const times = this.#times
    this.#times = emptyTimes()
    return times
  }

  #remainingMs(step: number): number | null {
    const done = step - this.#startedStep
    if (this.#startedMs === null || done < Math.max(1, this.#totalSteps * reliableShare)) return null
    return ((performance.now() - this.#startedMs) / done) * (this.#totalSteps - step)
  }
}

function emptyTimes(): Record<RunPhase, number> {
  return { opening: 0, rollout: 0, reward: 0, update: 0, evaluate: 0 }
}
