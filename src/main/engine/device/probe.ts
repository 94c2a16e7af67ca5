// Finds out which devices this machine really has: opens each that ONNX Runtime offers, checks a matrix
// product against the CPU's, times it, and picks the fastest that is right. Asked by worker.ts at its start.
import { cpus, totalmem } from 'node:os'
import { type ErrorRecord, toErrorRecord } from '../../../shared/errors.ts'
import { type DeviceName, type DeviceReport, deviceNames, type HardwareReport } from '../../../shared/hardware.ts'
import { writeOnnx } from '../graph/onnxWriter.ts'
import { type FloatTensor, OrtSession, offeredDevices, runtimeVersion } from '../graph/ortSession.ts'

/** Rows and columns of the product that is checked. */
const checkedSize = 256
/** Products double in size until one takes this long or {@link largestSize} is reached. */
const longEnoughMs = 40
const largestSize = 4096
/** Float32 products of this size agree to about 1e-6 between providers; half-precision ones would not. */
const toleratedError = 1e-4

export interface ProbeOptions {
  /** Devices that are known to bring the process down. */
  readonly skip: readonly DeviceName[]
  readonly onProgress: (device: DeviceName, phase: 'opening' | 'measuring' | 'done') => void
}

/** C = A B for matrices [m, k] and [k, n]. */
const productModel = writeOnnx({
  name: 'product',
  inputs: [
    { name: 'a', shape: ['m', 'k'] },
    { name: 'b', shape: ['k', 'n'] },
  ],
  nodes: [{ op: 'MatMul', inputs: ['a', 'b'], outputs: ['c'] }],
  outputs: [{ name: 'c', shape: ['m', 'n'] }],
})

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
    const session = await OrtSession.open(productModel, device)
    try {
      const { c } = await session.run(operands(checkedSize))
      const relativeError = largestRelativeError(c as FloatTensor, expected)
      if (!(relativeError <= toleratedError)) return wrong(device, relativeError)
      onProgress(device, 'measuring')
      const gemmGflops = await measure(session)
      const speed = gemmGflops >= 10 ? Math.round(gemmGflops) : gemmGflops.toPrecision(2)
      return {
        device,
        state: 'right',
        gemmGflops,
        relativeError,
        reason: `It computes correctly, at ${speed} GFLOP/s.`,
      }
    } finally {
      await session.release()
    }
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

/** Speed of a square product in 10^9 operations a second, its operands' way to the device and back included. */
async function measure(session: OrtSession): Promise<number> {
  for (let size = checkedSize; ; size *= 2) {
    const inputs = operands(size)
    await session.run(inputs)
    const startMs = performance.now()
    await session.run(inputs)
    const durationMs = performance.now() - startMs
    if (durationMs >= longEnoughMs || size >= largestSize) return (2 * size ** 3) / durationMs / 1e6
  }
}

/** Two matrices of numbers in [-1, 1) that look random and are the same everywhere. */
function operands(size: number): { a: FloatTensor; b: FloatTensor } {
  const fill = (salt: number): FloatTensor => {
    const values = new Float32Array(size * size)
    for (let i = 0; i < values.length; i++) {
      const bits = Math.imul((i + salt) ^ ((i + salt) >>> 15), 0x2c1b3c6d)
      values[i] = ((bits ^ (bits >>> 12)) | 0) / 2 ** 31
    }
    return { values, shape: [size, size] }
  }
  return { a: fill(1), b: fill(0x9e3779) }
}

/** The product of the operands in double precision: the witness that the CPU, too, is held against. */
function dotProducts(size: number): Float64Array {
  const { a, b } = operands(size)
  const product = new Float64Array(size * size)
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const left = a.values[i * size + k] as number
      for (let j = 0; j < size; j++) {
        product[i * size + j] = (product[i * size + j] as number) + left * (b.values[k * size + j] as number)
      }
    }
  }
  return product
}

function largestRelativeError({ values }: FloatTensor, expected: Float64Array): number {
  let largest = 0
  let difference = 0
  expected.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value))
    // NaN must not pass: it compares false with everything, Math.max keeps it.
    difference = Math.max(difference, Math.abs((values[i] as number) - value))
  })
  return difference / largest
}

function wrong(device: DeviceName, relativeError: number): DeviceReport {
  const reason = `It opens, but its results are wrong (off by ${relativeError.toExponential(1)}), so it is not used.`
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
