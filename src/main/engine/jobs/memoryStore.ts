// A run that is kept in memory: the store of jobs without a workspace, such as those of tools/results and of policies that
// were exported. Nothing of it outlives the process.
import { StudioError } from '../../../shared/errors.ts'
import type { RunConfig } from '../../../shared/runConfig.ts'
import { noPlacebo } from '../../../shared/runErrors.ts'
import { restorePolicy, type StoredPolicy, storePolicy } from '../align/checkpoint.ts'
import type { Policy } from '../align/policy.ts'
import { loraSlots } from '../models/shared/lora.ts'
import { valueHeadShapes } from '../models/shared/valueHead.ts'
import type { VlmSource } from '../models/vlmGraphs.ts'
import type { CommittedStep, RunStore } from '../run/alignmentRun.ts'
import type { EmbeddingStore } from '../run/verifier.ts'
import type { JobStore, StoredStep } from './jobStore.ts'

export class MemoryJobStore implements JobStore {
  readonly began = null
  /** All steps so far. */
  readonly committed: CommittedStep[] = []
  readonly #policies = new Map<number, StoredPolicy>()
  readonly #onCommit: (step: CommittedStep) => void
  /** The run's control, where one was made. */
  placebo: MemoryJobStore | null = null

  /** @param onCommit called with each step once it is kept */
  constructor(onCommit: (step: CommittedStep) => void = () => undefined) {
    this.#onCommit = onCommit
  }

  /** Steps whose policies are kept: those with a look, and the last one. */
  get steps(): number[] {
    return [...this.#policies.keys()]
  }

  embeddings(): EmbeddingStore {
    return { get: () => undefined, put: () => undefined, flush: () => undefined }
  }

  runOf(): RunStore {
    return { embeddings: this.embeddings(), load: () => null, commit: (step) => this.#commit(step) }
  }

  /** @throws StudioError `run.no-placebo`, `run.no-checkpoint` */
  policyAt({ from, step }: StoredStep, config: RunConfig, source: VlmSource): Policy {
    if (from === 'placebo') {
      if (!this.placebo) throw noPlacebo()
      return this.placebo.policyAt({ from: 'run', step }, config, source)
    }
    const stored = this.#policies.get(step)
    if (!stored) {
      throw new StudioError({
        code: 'run.no-checkpoint',
        message: `No policy is kept of step ${step}.`,
        remedy: 'Choose a step at which the run looked at its validation images, or its last one.',
        found: this.steps.join(', '),
        where: `step ${step}`,
      })
    }
    const { decoder } = source.config
    const shapes = valueHeadShapes(decoder.hiddenSize, config.optimiser.valueWidth)
    return restorePolicy(stored.cursor, loraSlots(decoder), shapes, (name) =>
      Uint8Array.from(stored.parts[name] as Uint8Array),
    )
  }

  describeRun(): Readonly<Record<string, unknown>> {
    return {}
  }

  #commit(step: CommittedStep): void {
    const before = this.committed.at(-1)
    if (before && !hasLook(before)) this.#policies.delete(before.step)
    this.#policies.set(step.step, structuredClone(storePolicy(step.policy)))
    this.committed.push(step)
    this.#onCommit(step)
  }
}

function hasLook({ looks, step }: CommittedStep): boolean {
  return looks.at(-1)?.step === step
}
