// Greedy responses of a model on the CPU and on another device, where their cache stays. Part of compareModelDevices.ts.
import type { DeviceName } from '../../../../shared/hardware.ts'
import { DeviceTensor } from '../../graph/ortSession.ts'
import type { Feeds } from '../../models/shared/sequenceFeeds.ts'
import type { VlmSource } from '../../models/vlmGraphs.ts'
import { Rng } from '../../rng.ts'
import { type GenerationSettings, Generator, type Response, type RolloutRequest } from '../../rollout/generate.ts'
import { type ModelComparison, print } from './deviceComparison.ts'

const settings: GenerationSettings = {
  sampling: { greedy: true, temperature: 1, topK: 0, topP: 1, repetitionPenalty: 1 },
  stop: { endTokenIds: [], stopStrings: [], maxNewTokens: 8 },
  batchSize: 2,
}

/**
 * Prints a {@link ModelComparison} whose error is the largest of a token's log-probability, or 1 where tokens differ.
 * @param models on the device, and the one whose numbers are right on the CPU
 */
export async function compareRollouts(
  graph: string,
  models: { readonly onDevice: VlmSource; readonly onCpu: VlmSource },
  {
    device,
    rank,
    adapter,
    prompts,
  }: { device: DeviceName; rank: number; adapter: Feeds; prompts: readonly Omit<RolloutRequest, 'rng'>[] },
): Promise<void> {
  let heldTensors = 0
  const respond = async (source: VlmSource, on: DeviceName): Promise<Response[]> => {
    const generator = await Generator.open(source, { device: on, adapter: { rank }, threads: 1 })
    const weights = DeviceTensor.openCount
    const onToken = () => {
      heldTensors = Math.max(heldTensors, DeviceTensor.openCount - weights)
    }
    const requests = prompts.map((prompt) => ({ ...prompt, rng: new Rng({ seed: 1 }) }))
    const responses = await generator.generate(requests, settings, { adapter, onToken })
    await generator.release()
    return responses
  }
  const [expected, found] = [await respond(models.onCpu, 'cpu'), await respond(models.onDevice, device)]
  print({ graph, relativeError: apart(found, expected), cpuNodes: {}, heldTensors } satisfies ModelComparison)
}

function apart(found: readonly Response[], expected: readonly Response[]): number {
  const tokensOf = (responses: readonly Response[]) => JSON.stringify(responses.map(({ tokens }) => tokens))
  if (tokensOf(found) !== tokensOf(expected)) return 1
  const differences = expected.flatMap(({ logProbs }, i) =>
    [...logProbs].map((logProb, t) => Math.abs(logProb - (found[i]?.logProbs[t] ?? Number.NaN))),
  )
  return Math.max(...differences)
}
