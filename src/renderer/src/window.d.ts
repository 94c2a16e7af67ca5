import type { StudioBridge } from '../../shared/contract.ts'

declare global {
  interface Window {
    /** The bridge that preload exposes. */
    readonly studio: StudioBridge
  }
}
