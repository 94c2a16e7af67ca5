// Numbers, sizes, times and paths as a person reads them, in the user's locale.

const integer = new Intl.NumberFormat()
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })

export function formatCount(value: number): string {
  return integer.format(value)
}

/** What stands before fractions in the user's locale. */
export const decimalSign: '.' | ',' = (1.5).toLocaleString().includes(',') ? ',' : '.'

/** `1 image`, `12,345 images`. */
export function formatPlural(value: number, one: string, many = `${one}s`): string {
  return `${integer.format(value)} ${value === 1 ? one : many}`
}

/** Binary units, as file managers of labs show memory: `1.4 GB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value.toLocaleString(undefined, { maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0 })} ${units[unit]}`
}

export function formatMoment(timeMs: number): string {
  return moment.format(timeMs)
}

/** `yesterday`, `3 hours ago`; beyond a month the date. */
export function formatAgo(timeMs: number, nowMs = Date.now()): string {
  const minutes = Math.round((timeMs - nowMs) / 60_000)
  if (Math.abs(minutes) < 1) return 'just now'
  if (Math.abs(minutes) < 60) return relative.format(minutes, 'minute')
  const hours = Math.round(minutes / 60)
  if (Math.abs(hours) < 24) return relative.format(hours, 'hour')
  const days = Math.round(hours / 24)
  return Math.abs(days) <= 30 ? relative.format(days, 'day') : moment.format(timeMs)
}

/** A speed in GFLOP/s: `119 GFLOP/s`, `1.2 TFLOP/s`. */
export function formatSpeed(gigaflops: number): string {
  const [value, unit] = gigaflops >= 1000 ? [gigaflops / 1000, 'TFLOP/s'] : [gigaflops, 'GFLOP/s']
  return `${value.toLocaleString(undefined, { maximumSignificantDigits: 3 })} ${unit}`
}

/** A long path with its middle left out, so that both the drive and the name stay readable. */
export function shortenPath(path: string, most = 56): string {
  if (path.length <= most) return path
  const tail = Math.ceil((most - 1) * 0.62)
  return `${path.slice(0, most - 1 - tail)}…${path.slice(-tail)}`
}

const minutes = new Intl.NumberFormat(undefined, { style: 'unit', unit: 'minute' })
const hours = new Intl.NumberFormat(undefined, { style: 'unit', unit: 'hour' })

/** A rough span of time: `less than a minute`, `about 12 min`, `about 2 hr 10 min`. */
export function formatSpan(durationMs: number): string {
  const total = Math.round(durationMs / 60_000)
  if (total < 1) return 'less than a minute'
  if (total < 60) return `about ${minutes.format(total)}`
  const [h, min] = [Math.floor(total / 60), total % 60]
  return `about ${hours.format(h)}${min > 0 && h < 10 ? ` ${minutes.format(min)}` : ''}`
}

/** A share in [0, 1] as per cent with one decimal: `17.2%`. */
export function formatShare(share: number): string {
  return share.toLocaleString(undefined, { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 })
}

/** A figure with this many decimals. */
export function formatFigure(value: number, decimals: number): string {
  return value.toLocaleString(undefined, { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
}

const compact = new Intl.NumberFormat(undefined, { notation: 'compact', maximumSignificantDigits: 3 })

/** Parameters of a model: `7.06B`, `303M`; few of them as they are. */
export function formatParameters(value: number): string {
  return value < 10_000 ? integer.format(value) : compact.format(value)
}
