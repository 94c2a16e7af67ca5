// Whether a companion encoder sees images with the very tower of the vision-language model: every tensor that the model
// uses, byte by byte. Before it stand vlm.ts and encoder.ts, after it the verifier, which trusts the companion's scores
// as the model's own only then.
import { throwIfCancelled } from '../../graph/ortSession.ts'
import { storedName } from '../shared/parameters.ts'
import { compareTensors, type Equality, lessEqual, type TensorDifference } from '../shared/tensorComparison.ts'
import type { VisionConfig } from '../shared/towerConfig.ts'
import { type VlmSource, visionGraph } from '../vlmGraphs.ts'
import { dualEncoderNames } from './config.ts'
import type { DualEncoderSource } from './encoder.ts'

const [companionTower] = dualEncoderNames.tower

/** Where two towers part. */
export interface TowerDifference extends TensorDifference {
  /** A tensor by its name in the companion, or a field of its config. */
  readonly where: string
}

/** `different`: the first difference, in the order of names; else the least equal of all tensors. */
export type TowerComparison =
  | { readonly outcome: Equality; readonly tensors: number; readonly dtypes: string }
  | { readonly outcome: 'different'; readonly difference: TowerDifference }

/**
 * Compares the image tower of a vision-language model, as far as the model uses it, with its companion's. What only one
 * of them has takes no part: the pooling of SigLIP, the layers after the one whose states the model takes.
 * @throws StudioError `weights.unreadable`, `run.cancelled`
 */
export async function compareTowers(
  vlm: VlmSource,
  encoder: DualEncoderSource,
  signal?: AbortSignal,
): Promise<TowerComparison> {
  const difference = configDifference(vlm.config.vision, encoder.config.vision)
  if (difference) return { outcome: 'different', difference }
  const { tower } = vlm.architecture.names
  const paths = usedPaths(vlm)
  let worst: Equality = 'identical'
  const dtypes = new Set<string>()
  for (const path of paths) {
    throwIfCancelled(signal)
    const own = vlm.weights.get(storedName(vlm.weights, tower, path))
    const where = companionTower + path
    if (!encoder.weights.has(where)) return { outcome: 'different', difference: missing(own.name) }
    const other = encoder.weights.get(where)
    const result = await compareTensors(own, other)
    if (typeof result === 'object') return { outcome: 'different', difference: { where, ...result } }
    worst = lessEqual(worst, result)
    dtypes.add(own.dtype === other.dtype ? own.dtype : `${own.dtype} and ${other.dtype}`)
  }
  return { outcome: worst, tensors: paths.length, dtypes: [...dtypes].sort().join(', ') }
}

/** The tensors of the tower that the model's own features are computed with, by their paths in it. */
function usedPaths(vlm: VlmSource): string[] {
  const [prefix] = vlm.architecture.names.tower
  const names = visionGraph(vlm).initializers.map(({ value }) => value.name)
  return names
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .sort()
}

/** Fields of a tower that its tensors do not show. A model may leave out layers that it does not use. */
function configDifference(own: VisionConfig, other: VisionConfig): TowerDifference | null {
  const fields = ['kind', 'hiddenSize', 'heads', 'imageSize', 'patchSize', 'activation', 'epsilon'] as const
  const field = fields.find((name) => own[name] !== other[name])
  if (field === undefined) return null
  return { where: `vision_config ${field}`, expected: `${own[field]}`, found: `${other[field]}` }
}

/** A tensor of the model's tower that its companion lacks. */
function missing(where: string): TowerDifference {
  return { where, expected: 'the same tensor in the companion', found: 'none' }
}
