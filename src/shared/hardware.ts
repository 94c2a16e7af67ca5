// What the device probe of the engine measured on this machine; shown on Home's hardware card.
import { z } from 'zod'
import { errorRecordSchema } from './errors.ts'

/** ONNX Runtime execution providers, by the names the product uses. */
export const deviceNames = ['cpu', 'webgpu', 'cuda', 'dml', 'coreml'] as const
export const deviceNameSchema = z.enum(deviceNames)
export type DeviceName = z.infer<typeof deviceNameSchema>

export const deviceReportSchema = z.object({
  device: deviceNameSchema,
  /** `right`: opened and agreed with the CPU. `wrong`: opened, but its results differ. */
  state: z.enum(['right', 'wrong', 'failed', 'crashed', 'not-offered']),
  /** Speed of a float32 Gemm, in 10^9 floating-point operations a second. */
  gemmGflops: z.number().nullable(),
  /** Largest absolute difference from the CPU's result over the largest absolute value of that result. */
  relativeError: z.number().nullable(),
  /** Of a GPU that was held against the CPU in a layer forward and backward and in products of 8 and 4 bits. */
  checked: z
    .object({
      /** As above, of the output that is furthest off. */
      relativeError: z.number(),
      /** Of a product in half precision, which nothing uses; null where the device does not run it. */
      halfError: z.number().nullable(),
    })
    .optional(),
  /** One sentence for a person. */
  reason: z.string(),
  error: errorRecordSchema.optional(),
})
export type DeviceReport = z.infer<typeof deviceReportSchema>

export const hardwareReportSchema = z.object({
  chosen: deviceNameSchema,
  /** Why that device, as one sentence for a person. */
  reason: z.string(),
  devices: z.array(deviceReportSchema),
  cpuModel: z.string(),
  cpuCores: z.number().int(),
  memoryBytes: z.number(),
  onnxruntimeVersion: z.string(),
  measuredAtMs: z.number(),
})
export type HardwareReport = z.infer<typeof hardwareReportSchema>
