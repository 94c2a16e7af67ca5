// Finds out which devices this machine really has: opens each that ONNX Runtime offers, checks a matrix product, times it,
// has deviceCheck.ts compare a layer and its gradients with the CPU's, and picks the fastest that is right. Asked by worker.ts
// at its start.
import { cpus, totalmem } from 'node:os'
import { type ErrorRecord, toErrorRecord } from '../../../shared/errors.ts'
import { type DeviceName, type DeviceReport, deviceNames, type HardwareReport } from '../../../shared/hardware.ts'
import { checkDevice, type DeviceCheck, toleratedDifference } from '../autodiff/deviceCheck.ts'
import { GraphBuilder } from '../graph/graphBuilder.ts'
import { OrtSession, offeredDevices, runtimeVersion } from '../graph/ortSession.ts'
import { floatsOf, type Tensor, tensor } from '../graph/tensor.ts'
import { tensorOps } from '../graph/tensorOps.ts'

/** Rows and columns of the product that is checked, and of the first that is timed. */
const checkedSize = 256
/** Products grow, by this many rows or a multiple of them, until one run takes this long or {@link largestSize} is reached. */
const sizeStep = 256
const longEnoughMs = 50
const largestSize = 4096
/** Products in one timed run, so that the operands' way to the device weighs little. */
const chained = 4
/** Float32 products of this size agree to about 1e-6 between providers; half-precision ones would not. */
const toleratedError = 1e-4

export interface ProbeOptions {
  /** Devices that are known to bring the process down. */
  readonly skip: readonly DeviceName[]
  /** Told before each step, so that whoever watches this process knows which device ended it. */
  readonly onProgress: (device: DeviceName, phase: 'opening' | 'measuring' | 'done') => void
}

/** Probes every device, one after the other; none of them failing makes this fail. */
export async function probeDevices({ skip, onProgress }: ProbeOptions): Promise<HardwareReport> {
  const offered = offeredDevices()
  const expected = dotProducts(checkedSize)
  const devices: DeviceReport[] = []
  for (const device of deviceNames) {
    if (skip.includes(device)) continue
    devices.push(offered.includes(device) ? await probeDevice(device, expected, onProgress) : notOffered(device))
  }
  const [cpu] = cpus()
  return {
    ...chooseDevice(devices),
    devices,
    cpuModel: cpu?.model.trim() ?? 'unknown',
    cpuCores: cpus().length,
    memoryBytes: totalmem(),
    onnxruntimeVersion: runtimeVersion,
    measuredAtMs: Date.now(),
  }
}

/**
 * The fastest device whose results are right, and why, in one sentence.
 * The CPU stands in when nothing else is right: ONNX Runtime always has it.
 */
export function chooseDevice(devices: readonly DeviceReport[]): { chosen: DeviceName; reason: string } {
  const right = devices
    .filter(({ state }) => state === 'right')
    .sort((a, b) => (b.gemmGflops ?? 0) - (a.gemmGflops ?? 0))
  const [best, second] = right
  if (!best) return { chosen: 'cpu', reason: 'No device passed its check, so the processor is used.' }
  const label = deviceLabels[best.device]
  const name = label.charAt(0).toUpperCase() + label.slice(1)
  if (!second) return { chosen: best.device, reason: `${name} is the only device that opened and computes correctly.` }
  const ratio = (best.gemmGflops ?? 0) / (second.gemmGflops || 1)
  const times = ratio >= 10 ? Math.round(ratio) : Math.round(ratio * 10) / 10
  return {
    chosen: best.device,
    reason: `${name} computes correctly and is ${times} times as fast as the next best, ${deviceLabels[second.device]}.`,
  }
}

const deviceLabels: Readonly<Record<DeviceName, string>> = {
  cpu: 'the processor',
  webgpu: 'the graphics card through WebGPU',
  cuda: 'the NVIDIA card through CUDA',
  dml: 'the graphics card through DirectML',
  coreml: 'the Apple chip through Core ML',
}

async function probeDevice(
  device: DeviceName,
  expected: Float64Array,
  onProgress: ProbeOptions['onProgress'],
): Promise<DeviceReport> {
  onProgress(device, 'opening')
  try {
    const relativeError = await check(device, expected)
    if (!(relativeError <= toleratedError)) return wrong(device, 'results', relativeError)
    // The CPU is what others are held against; the product above has another witness.
    const checked = device === 'cpu' ? null : await checkDevice(device)
    if (checked && !(checked.relativeError <= toleratedDifference)) {
      return wrong(device, checked.worst, checked.relativeError)
    }
    onProgress(device, 'measuring')
    const gemmGflops = await measure(device)
    const speed = gemmGflops >= 10 ? Math.round(gemmGflops) : gemmGflops.toPrecision(2)
    const reason = `It computes correctly, at ${speed} GFLOP/s.${checked ? findings(checked) : ''}`
    return { device, state: 'right', gemmGflops, relativeError, reason, ...(checked && { checked: figures(checked) }) }
  } catch (thrown) {
    const error = toErrorRecord(thrown, 'device.run-failed')
    return { device, state: 'failed', gemmGflops: null, relativeError: null, reason: failureReason(error), error }
  } finally {
    onProgress(device, 'done')
  }
}

/** The two ordinary reasons in plain words; else what the error says. */
function failureReason({ found = '', message }: ErrorRecord): string {
  if (/adapter/i.test(found)) return 'No graphics card with a working driver was found.'
  if (/load (shared )?library/i.test(found)) return 'Its libraries are not installed on this computer.'
  return message
}

/** Largest error of C = A B relative to the largest element of C. */
async function check(device: DeviceName, expected: Float64Array): Promise<number> {
  const g = new GraphBuilder('product')
  const [a, b] = [g.input('a', 'float32', ['m', 'k']), g.input('b', 'float32', ['k', 'n'])]
  g.output('c', tensorOps(g).gemm(a, b))
  const session = await OrtSession.open(g.build(), { device })
  try {
    const results = await session.compute({ a: operand(checkedSize, 1), b: operand(checkedSize, 2) })
    return largestRelativeError(floatsOf(results, 'c'), expected)
  } finally {
    await session.release()
  }
}

/** Speed of square products in 10^9 operations a second. */
async function measure(device: DeviceName): Promise<number> {
  const g = new GraphBuilder('products')
  const { gemm, reduceMax } = tensorOps(g)
  const a = g.input('a', 'float32', ['n', 'n'])
  let product = a
  for (let i = 0; i < chained; i++) product = gemm(product, a)
  g.output('largest', reduceMax(product, [0, 1]))
  const session = await OrtSession.open(g.build(), { device })
  try {
    for (let size = checkedSize; ; ) {
      const inputs = { a: operand(size, 1) }
      // The first run of all takes up threads and memory; one elsewhere than on the processor compiles for its size too.
      if (device !== 'cpu' || size === checkedSize) await session.run(inputs)
      const startMs = performance.now()
      await session.run(inputs)
      const durationMs = performance.now() - startMs
      if (durationMs >= longEnoughMs || size >= largestSize) return (chained * 2 * size ** 3) / durationMs / 1e6
      size = nextSize(size, durationMs)
    }
  } finally {
    await session.release()
  }
}

/** The smallest size that should take long enough by the cube of its rows, and a fifth more; at most twice the last. */
function nextSize(size: number, durationMs: number): number {
  const wanted = size * Math.cbrt((1.2 * longEnoughMs) / durationMs)
  return Math.min(2 * size, Math.ceil(wanted / sizeStep) * sizeStep, largestSize)
}

/** A square matrix of numbers in [-1, 1) that look random and are the same everywhere. */
function operand(size: number, salt: number): Tensor<'float32'> {
  const values = new Float32Array(size * size)
  for (let i = 0; i < values.length; i++) {
    const seed = i + Math.imul(salt, 0x9e3779)
    const bits = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d)
    values[i] = ((bits ^ (bits >>> 12)) | 0) / 2 ** 31
  }
  return tensor('float32', [size, size], values)
}

/** The product of the operands in double precision: the witness that the CPU, too, is held against. */
function dotProducts(size: number): Float64Array {
  const [a, b] = [operand(size, 1).values, operand(size, 2).values]
  const product = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const left = a[i * size + k] as number
      for (let j = 0; j < size; j++) {
        product[i * size + j] = (product[i * size + j] as number) + left * (b[k * size + j] as number)
      }
    }
  }
  return product
}

function largestRelativeError(values: Float32Array, expected: Float64Array): number {
  let largest = 0
  let difference = 0
  expected.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value))
    // NaN must not pass: it compares false with everything, Math.max keeps it.
    difference = Math.max(difference, Math.abs((values[i] as number) - value))
  })
  return difference / largest
}

/** What else is known of a device that is right. */
function findings({ relativeError, halfError }: DeviceCheck): string {
  const half = halfError === null ? 'does not run' : `runs (off by ${halfError.toExponential(0)})`
  return ` A layer and its gradients are within ${relativeError.toExponential(0)} of the processor’s; half precision ${half}.`
}

function figures({ relativeError, halfError }: DeviceCheck): DeviceReport['checked'] {
  return { relativeError, halfError: halfError !== null && Number.isFinite(halfError) ? halfError : null }
}

/** @param what of it is wrong, as the middle of a sentence */
export function wrong(device: DeviceName, what: DeviceCheck['worst'], relativeError: number): DeviceReport {
  const off = Number.isNaN(relativeError) ? 'not numbers' : `off by ${relativeError.toExponential(1)}`
  const reason = `It opens, but its ${what} are wrong (${off}), so it is not used.`
  return {
    device,
    state: 'wrong',
    gemmGflops: null,
    relativeError: Number.isFinite(relativeError) ? relativeError : null,
    reason,
  }
}

function notOffered(device: DeviceName): DeviceReport {
  const reason = 'It is not part of ONNX Runtime on this operating system.'
  return { device, state: 'not-offered', gemmGflops: null, relativeError: null, reason }
}
