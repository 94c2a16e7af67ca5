// What machine and app are doing now: in the status line in a few words, in the tray in full.
import type { ReactNode } from 'react'
import type { AppLoad } from '../../../shared/appLoad.ts'
import { deviceLabels } from '../features/workspace/HardwareCard.tsx'
import { formatBytes } from '../format.ts'
import { useLoad } from '../queries/everywhere.ts'
import css from './Load.module.css'

/** For the status line; nothing before the first answer. */
export function LoadLine(): ReactNode {
  const load = useLoad(true)
  if (!load) return null
  const { cpu, memory, gpu } = load
  return (
    <span className={css.line} aria-hidden="true">
      {[
        cpu.machine === null ? null : `CPU ${percent(cpu.machine)}`,
        `Memory ${formatBytes(memory.machineUsedBytes)} of ${formatBytes(memory.machineBytes)}`,
        gpu.usedBytes === null ? null : `GPU ${formatBytes(gpu.usedBytes)}`,
      ]
        .filter(Boolean)
        .join(' · ')}
    </span>
  )
}

export function LoadPanel(): ReactNode {
  const load = useLoad(true)
  if (!load) return null
  const { cpu, memory } = load
  return (
    <section aria-label="Load" className={css.panel}>
      <Meter
        name="Processor"
        value={cpu.machine === null ? 'being measured' : percent(cpu.machine)}
        share={cpu.machine}
        more={cpu.engine === null ? null : `engine ${percent(cpu.engine)}`}
      />
      <Meter
        name="Memory"
        value={`${formatBytes(memory.machineUsedBytes)} of ${formatBytes(memory.machineBytes)}`}
        share={memory.machineUsedBytes / memory.machineBytes}
        more={memory.engineBytes === null ? null : `engine ${formatBytes(memory.engineBytes)}`}
      />
      <Gpu gpu={load.gpu} />
    </section>
  )
}

function Gpu({ gpu: { device, usedBytes, totalBytes, unknownBecause } }: Pick<AppLoad, 'gpu'>): ReactNode {
  const name = device === null || device === 'cpu' ? 'Graphics' : deviceLabels[device]
  if (usedBytes === null || totalBytes === null) {
    return <Meter name={name} value="unknown" share={null} more={unknownBecause} />
  }
  return (
    <Meter
      name={name}
      value={`${formatBytes(usedBytes)} of ${formatBytes(totalBytes)}`}
      share={usedBytes / totalBytes}
      more={null}
    />
  )
}

interface MeterProps {
  readonly name: string
  readonly value: string
  /** From 0 to 1; null when it is not known. */
  readonly share: number | null
  readonly more: string | null
}

function Meter({ name, value, share, more }: MeterProps): ReactNode {
  return (
    <div>
      <div className={css.meterHead}>
        <span>{name}</span>
        <span className={css.value}>{value}</span>
      </div>
      {share !== null && (
        <div className={css.bar} aria-hidden="true">
          <div style={{ width: `${Math.min(1, share) * 100}%` }} />
        </div>
      )}
      {more !== null && <span className={css.more}>{more}</span>}
    </div>
  )
}

function percent(share: number): string {
  return share.toLocaleString(undefined, { style: 'percent', maximumFractionDigits: 0 })
}
