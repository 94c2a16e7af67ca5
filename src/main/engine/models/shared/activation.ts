// The activations that configs name, and their ops. Read by the configs of towers, decoders and projectors.
import { unknownField } from '../../folder/configFields.ts'
import type { Value } from '../../graph/ir.ts'
import type { TensorOps } from '../../graph/tensorOps.ts'

export type Activation = 'gelu' | 'geluTanh' | 'quickGelu' | 'silu' | 'relu'

const activations: Readonly<Record<string, Activation>> = {
  gelu: 'gelu',
  gelu_new: 'geluTanh',
  gelu_pytorch_tanh: 'geluTanh',
  quick_gelu: 'quickGelu',
  silu: 'silu',
  swish: 'silu',
  relu: 'relu',
}

/** The activation that a config's field names. @throws StudioError `model.unknown-config-field` */
export function readActivation(path: string, field: string, name: string): Activation {
  const known = Object.hasOwn(activations, name) ? activations[name] : undefined
  if (known) return known
  throw unknownField(path, field, name, Object.keys(activations).join(', '))
}

export function activate(ops: TensorOps, name: Activation, x: Value): Value {
  return ops[name](x)
}
