// The memory that describing, aligning and exporting hold, by the plan that a run is refused by (run/memoryPlan.ts), with the
// settings of a new run.
import { totalmem } from 'node:os'
import type { ModelFolder, ModelNeed } from '../../../shared/modelDetails.ts'
import { type RunConfig, runConfigSchema } from '../../../shared/runConfig.ts'
import { sizeWords } from '../../db/freeSpace.ts'
import type { MemoryPart, MemoryPlan, MemoryPlanner } from '../run/memoryPlan.ts'

/** Runtime, tokenizer and image decoder. */
const processBytes = 200e6
/** Parts below this share are not named. */
const smallShare = 0.05

/** The settings of a new run as it is first offered. */
export const plannedConfig = runConfigSchema.parse({})

export function memoryNeeds(planner: MemoryPlanner, model: ModelFolder, machineBytes = totalmem()): ModelNeed[] {
  const describing = planner.plan(oneAnswer(plannedConfig))
  const aligning = planner.plan(plannedConfig)
  return [
    { task: 'describe', bytes: Math.round(describing.totalBytes), how: `${partsOf(describing)}.` },
    {
      ...{ task: 'align', bytes: Math.round(aligning.totalBytes) },
      how: `${partsOf(aligning)}.${remedyFor(planner, aligning, machineBytes)}`,
    },
    {
      ...{ task: 'export', bytes: Math.round(processBytes + 2 * largestPart(model)) },
      how: 'One part of the weights at a time, as it is and merged.',
    },
  ]
}

/** A single question: one response at a time, from which nothing is learned. */
function oneAnswer(config: RunConfig): RunConfig {
  return {
    ...config,
    rollout: { ...config.rollout, responsesPerStep: 1, batchSize: 1 },
    reward: { ...config.reward, method: 'none' },
  }
}

const names: Readonly<Record<MemoryPart['of'], string>> = {
  process: 'the program',
  weights: 'weights',
  copies: 'packed copies of them',
  decoding: 'responses as they grow',
  training: 'what training keeps',
  encoder: 'the encoder',
  adapter: 'the adapter',
  features: 'image features',
}

/** The parts that matter, the largest first. */
function partsOf({ parts, totalBytes }: MemoryPlan): string {
  return parts
    .filter(({ bytes }) => bytes >= smallShare * totalBytes)
    .sort((a, b) => b.bytes - a.bytes)
    .map(({ of, bytes }) => `${sizeWords(bytes)} for ${names[of]}`)
    .join(', ')
}

function remedyFor(planner: MemoryPlanner, { totalBytes }: MemoryPlan, machineBytes: number): string {
  const lighter = totalBytes > machineBytes ? planner.lighter(plannedConfig, machineBytes) : null
  if (!lighter) return ''
  const { format, batchSize, recompute, microBatchSize } = lighter
  const { totalBytes: bytes } = planner.plan({
    ...plannedConfig,
    base: { format },
    rollout: { ...plannedConfig.rollout, batchSize },
    optimiser: { ...plannedConfig.optimiser, recompute, microBatchSize },
  })
  return ` A new run proposes settings that need ${sizeWords(bytes)}.`
}

function largestPart({ parts }: ModelFolder): number {
  return Math.max(0, ...parts.flatMap(({ stored }) => stored.map(({ bytes }) => bytes)))
}
