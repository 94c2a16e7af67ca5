// Whether the figures of a step mean anything. Before it stands a step of align.ts that is done, after it its commit.
import { StudioError } from '../../../shared/errors.ts'
import type { CommittedStep } from './alignmentRun.ts'

/**
 * A checkpoint whose figures mean nothing is not stored: the run ends at the one before it.
 * @throws StudioError `run.non-finite`
 */
export function requireFiniteFigures({
  step,
  looks,
  update,
  trained,
}: Pick<CommittedStep, 'step' | 'looks' | 'update' | 'trained'>): void {
  const look = looks.at(-1)
  const figures = Object.entries({
    ...(look?.step === step && look),
    ...(update && { klNats: update.klNats }),
    reward: trained.reduce((sum, { rewards }) => sum + rewards.reduce((a, b) => a + b, 0), 0),
  })
  const [name, value] = figures.find(([, figure]) => typeof figure === 'number' && !Number.isFinite(figure)) ?? []
  if (name === undefined) return
  throw new StudioError({
    code: 'run.non-finite',
    message: `Training has left the numbers that this device can hold: step ${step} cannot be judged.`,
    remedy: 'Start a run with a lower learning rate, or choose another device; the checkpoints so far are kept.',
    expected: 'finite figures',
    found: `${name} of ${value}`,
    where: `step ${step}`,
  })
}
