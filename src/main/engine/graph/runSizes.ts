// Checks what a run is fed against the graph, before ONNX Runtime sees it. Asked by ortSession.ts at each run.
import { totalmem } from 'node:os'
import { StudioError } from '../../../shared/errors.ts'
import type { DeviceName } from '../../../shared/hardware.ts'
import { elementCount, evaluateDim, formatShape } from './dims.ts'
import { type DType, elementBytes, type Graph, type Value } from './ir.ts'

/** What is known of a fed tensor. */
export interface Fed {
  readonly dtype: DType
  readonly shape: readonly number[]
}

/**
 * The sizes that the inputs give to the graph's named axes.
 * @throws StudioError `graph.feed` for an input that is missing, unknown, of another dtype or shape, or that
 *   gives a named axis another size than an input before it; ONNX Runtime would broadcast some of these silently
 */
export function sizesOf(graph: Graph, feeds: Readonly<Record<string, Fed>>): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  for (const input of graph.inputs) {
    const fed = feeds[input.name]
    if (!fed) throw misfed(input, 'none')
    if (fed.dtype !== input.dtype || fed.shape.length !== input.shape.length) throw misfed(input, describe(fed))
    input.shape.forEach((dim, i) => {
      if (typeof dim === 'string' && !sizes.has(dim) && /^\w+$/.test(dim)) sizes.set(dim, fed.shape[i] as number)
    })
  }
  for (const input of graph.inputs) {
    const fed = feeds[input.name] as Fed
    if (input.shape.some((dim, i) => evaluateDim(dim, sizes) !== fed.shape[i])) {
      throw misfed(input, describe(fed), sizes)
    }
  }
  // Every input is fed, so what is left over is unknown.
  const fedNames = Object.keys(feeds)
  if (fedNames.length > graph.inputs.length) throw unknownInput(graph, fedNames)
  return sizes
}

/** Bytes of the largest array that passes into a graph or out of it: Electron's ends a process at 2 GiB. */
export const mostArrayBytes = 2 ** 31 - 1

/** Of this machine; asking for it reads a file on Linux, which a step of a small model would notice. */
const memoryBytes = totalmem()

const largestElements = new WeakMap<Graph, Map<string, number>>()

/**
 * Refuses a run one tensor of which alone exceeds the memory of this machine: inside Electron such an allocation
 * ends the process instead of failing; or in which one array would be fed or fetched that nothing can hold in a piece.
 * @throws StudioError `device.out-of-memory`, `device.array-too-large`
 */
export function requireAffordable(graph: Graph, sizes: ReadonlyMap<string, number>, device: DeviceName): void {
  const key = [...sizes.values()].join()
  const known = largestElements.get(graph) ?? new Map<string, number>()
  largestElements.set(graph, known)
  let largest = known.get(key)
  if (largest === undefined) {
    largest = Math.max(0, ...graph.nodes.flatMap(({ outputs }) => outputs.map((value) => sizeBytes(value, sizes))))
    const array = largestArray(graph, (value) => sizeBytes(value, sizes))
    if (array > mostArrayBytes && largest <= memoryBytes) throw arrayTooLarge(array, device)
    known.set(key, largest)
  }
  if (largest <= memoryBytes) return
  throw new StudioError({
    code: 'device.out-of-memory',
    message: 'This step needs more memory than the computer has.',
    remedy: 'Lower the batch size or the sequence length, or turn recomputation on.',
    expected: `at most ${memoryBytes} bytes`,
    found: `a tensor of ${largest} bytes`,
    where: device,
  })
}

/** Of the inputs and outputs of a graph, which are arrays of this process, the bytes of the largest. */
export function largestArray({ inputs, outputs }: Graph, bytesOf: (value: Value) => number): number {
  return Math.max(0, ...[...inputs, ...outputs.map(({ value }) => value)].map(bytesOf))
}

export function arrayTooLarge(foundBytes: number, where: string): StudioError {
  return new StudioError({
    code: 'device.array-too-large',
    message: 'This step would take more than 2 GiB in one piece, which the program cannot hold.',
    remedy: 'Lower the number of responses that are decoded together or the micro-batch.',
    expected: `at most ${mostArrayBytes} bytes`,
    found: `an array of ${foundBytes} bytes`,
    where,
  })
}

function sizeBytes({ dtype, shape }: Value, sizes: ReadonlyMap<string, number>): number {
  return evaluateDim(elementCount(shape), sizes) * elementBytes[dtype]
}

function misfed(input: Value, found: string, sizes?: ReadonlyMap<string, number>): StudioError {
  const given =
    sizes && sizes.size > 0 ? ` where ${[...sizes].map(([name, size]) => `${name} = ${size}`).join(', ')}` : ''
  return new StudioError({
    code: 'graph.feed',
    message: `The input ${input.name} does not fit the graph.`,
    remedy: 'Report this fault: a graph was fed wrongly.',
    expected: describe(input) + given,
    found,
    where: input.name,
  })
}

function unknownInput(graph: Graph, fedNames: readonly string[]): StudioError {
  const names = new Set(graph.inputs.map(({ name }) => name))
  const name = fedNames.find((one) => !names.has(one)) as string
  return new StudioError({
    code: 'graph.feed',
    message: `The graph ${graph.name} has no input ${name}.`,
    remedy: 'Report this fault: a graph was fed wrongly.',
    expected: graph.inputs.map((input) => input.name).join(', '),
    found: name,
    where: name,
  })
}

function describe({ dtype, shape }: { readonly dtype: DType; readonly shape: readonly (number | string)[] }): string {
  return `${dtype} ${formatShape(shape)}`
}
