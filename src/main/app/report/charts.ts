// Line charts of a run's report as inline SVG: axes, units, a title on each point for the mouse, and the same values in
// a table for everyone else. Colours come from style.ts, so they follow light and dark.
import { fixed, html, type Markup, table } from './markup.ts'

export interface ReportPoint {
  readonly step: number
  readonly value: number
  /** The 95 % interval, where there is one. */
  readonly interval?: { readonly low: number; readonly high: number }
}

interface CurveKind {
  readonly title: string
  readonly unit: string
  /** From the stored value to the shown one. */
  readonly scale: number
  /** Whether the axis begins at 0, where a distance from 0 means something. */
  readonly fromZero: boolean
}

const percent = { unit: '%', scale: 100, fromZero: true } as const

/** By the metrics' names in the workspace, in the order in which a reader asks for them. */
const curveKinds: Readonly<Record<string, CurveKind>> = {
  'validation.hallucinationRate': { ...percent, title: 'Hallucination rate, estimated on validation images' },
  'validation.coverage': {
    title: 'Right objects named, estimated on validation images',
    ...{ unit: 'objects a response', scale: 1, fromZero: false },
  },
  klNats: { title: 'Distance from the model as it came (KL)', unit: 'nats a token', scale: 1, fromZero: true },
  meanReward: { title: 'Mean reward', unit: 'reward a response', scale: 1, fromZero: false },
  hallucinatedShare: { ...percent, title: 'Mentions that the verifier calls hallucinated, in training' },
  entropy: { title: 'Entropy of the policy', unit: 'nats a token', scale: 1, fromZero: false },
  'validation.meanWords': { title: 'Length on validation images', unit: 'words a response', scale: 1, fromZero: false },
  'validation.meanRepeatedMentions': {
    title: 'Repeated mentions on validation images',
    ...{ unit: 'mentions a response', scale: 1, fromZero: true },
  },
}

/** Other metrics are shown by their names; times are in the section on durations. */
function kindOf(name: string): CurveKind {
  const known = Object.hasOwn(curveKinds, name) ? curveKinds[name] : undefined
  return known ?? { title: name, unit: '', scale: 1, fromZero: false }
}

/** All curves: those that matter open, the others folded away. @param bestStep is marked in each */
export function curveSection(curves: Readonly<Record<string, readonly ReportPoint[]>>, bestStep: number): Markup {
  const finite = Object.entries(curves)
    .filter(([name]) => !name.startsWith('time.'))
    .map(([name, points]) => [name, points.filter(({ value }) => Number.isFinite(value))] as const)
    .filter(([, points]) => points.length > 0)
  const byName = new Map(finite)
  const main = Object.keys(curveKinds).filter((name) => byName.has(name))
  const others = finite.map(([name]) => name).filter((name) => !Object.hasOwn(curveKinds, name))
  const chart = (name: string) => lineChart(name, byName.get(name) as readonly ReportPoint[], bestStep)
  if (finite.length === 0) {
    return html`<section aria-labelledby="curves"><h2 id="curves">Curves</h2>
<p>No metrics were stored: no step of training was done.</p></section>`
  }
  return html`<section aria-labelledby="curves">
<h2 id="curves">Curves</h2>
<p>By step of training. No annotation is read for any of them. The dashed line marks the checkpoint that the figures are of
(step ${bestStep}). Axes of rates, distances and repetition begin at 0, the others where their values do.</p>
<div class="charts">${main.map(chart)}</div>
${
  others.length === 0
    ? null
    : html`<details><summary>${others.length} more curves</summary><div class="charts">${others.map(chart)}</div></details>`
}
${valueTable(main, byName)}
</section>`
}

function valueTable(names: readonly string[], byName: ReadonlyMap<string, readonly ReportPoint[]>): Markup | null {
  if (names.length === 0) return null
  const values = names.map((name) => new Map(byName.get(name)?.map(({ step, value }) => [step, value])))
  const steps = [...new Set(values.flatMap((one) => [...one.keys()]))].sort((a, b) => a - b)
  const rows = steps.map((step) => {
    const cells = names.map((name, i) => {
      const value = values[i]?.get(step)
      return html`<td class="number">${value === undefined ? '' : fixed(value * kindOf(name).scale, 2)}</td>`
    })
    return html`<tr><th scope="row" class="number">${step}</th>${cells}</tr>`
  })
  const head = names.map((name) => [`${kindOf(name).title}, ${kindOf(name).unit}`, 'number'] as const)
  return html`<details><summary>The values as a table</summary>
${table('curve-table', 'Values of the curves by step', [['Step', 'number'], ...head], rows)}</details>`
}

const size = { width: 360, height: 200, left: 46, right: 14, top: 14, bottom: 30 } as const
/** Above this many points the line alone is drawn; titles stay. */
const mostDots = 60

function lineChart(name: string, points: readonly ReportPoint[], bestStep: number): Markup {
  const { title, unit, scale, fromZero } = kindOf(name)
  const shown = points.map(({ step, value, interval }) => ({
    ...{ step, value: value * scale },
    span: interval && { low: interval.low * scale, high: interval.high * scale },
  }))
  const steps = shown.map(({ step }) => step)
  const values = shown.flatMap(({ value, span }) => (span ? [value, span.low, span.high] : [value]))
  const across = ticks(Math.min(0, ...steps), Math.max(1, ...steps), 6, true)
  const up = ticks(fromZero ? Math.min(0, ...values) : Math.min(...values), Math.max(...values), 4, false)
  const x = position(across, size.left, size.width - size.right)
  const y = position(up, size.height - size.bottom, size.top)
  const place = (at: number): string => at.toFixed(1)
  const line = shown.map(({ step, value }) => `${place(x(step))},${place(y(value))}`).join(' ')
  const banded = shown.flatMap(({ step, span }) => (span ? [{ step, ...span }] : []))
  const edge = (side: 'low' | 'high') => banded.map((one) => `${place(x(one.step))},${place(y(one[side]))}`)
  const band =
    banded.length < 2
      ? null
      : html`<polygon class="band" points="${[...edge('high'), ...edge('low').reverse()].join(' ')}"/>`
  const decimals = decimalsOf(up)
  const dots = shown.map(
    ({ step, value, span }) =>
      html`<circle class="hit" cx="${place(x(step))}" cy="${place(y(value))}" r="7"><title>step ${step}: ${fixed(value, 2)} ${unit}${span ? ` (${fixed(span.low, 2)} to ${fixed(span.high, 2)})` : ''}</title></circle>`,
  )
  const marks =
    shown.length > mostDots
      ? null
      : shown.map(
          ({ step, value }) => html`<circle class="dot" cx="${place(x(step))}" cy="${place(y(value))}" r="2.5"/>`,
        )
  const [first, last] = [shown[0], shown.at(-1)] as [(typeof shown)[0], (typeof shown)[0]]
  const summary = `${title}: ${fixed(first.value, 2)} ${unit} at step ${first.step}, ${fixed(last.value, 2)} at step ${last.step}.`
  const isInside = bestStep >= (across[0] as number) && bestStep <= (across.at(-1) as number)
  return html`<figure><figcaption>${title}${unit && html`<small>${unit}${band ? ', with its 95 % interval' : ''}</small>`}</figcaption>
<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${summary}">
${up.map((tick) => html`<line class="grid" x1="${size.left}" x2="${size.width - size.right}" y1="${place(y(tick))}" y2="${place(y(tick))}"/><text class="tick end" x="${size.left - 6}" y="${place(y(tick) + 4)}">${fixed(tick, decimals)}</text>`)}
${across.map((tick) => html`<text class="tick middle" x="${place(x(tick))}" y="${size.height - size.bottom + 15}">${tick}</text>`)}
<line class="axis" x1="${size.left}" x2="${size.width - size.right}" y1="${size.height - size.bottom}" y2="${size.height - size.bottom}"/>
<text class="tick end" x="${size.width - size.right}" y="${size.height - 3}">step</text>
${isInside ? html`<line class="best" x1="${place(x(bestStep))}" x2="${place(x(bestStep))}" y1="${size.top}" y2="${size.height - size.bottom}"/>` : null}
${band}<polyline class="curve" points="${line}"/>${marks}${dots}
</svg></figure>
`
}

/** From a value to its place between two ends, the outermost ticks at the ends. */
export function position(ticksOfAxis: readonly number[], from: number, to: number): (value: number) => number {
  const [low, high] = [ticksOfAxis[0] as number, ticksOfAxis.at(-1) as number]
  return (value) => from + ((value - low) / (high - low)) * (to - from)
}

/**
 * Round values that hold [low, high], about `wanted` intervals apart: steps of 1, 2 or 5 times a power of ten.
 * @param wholeOnly of steps, which have no halves
 */
export function ticks(low: number, high: number, wanted: number, wholeOnly: boolean): number[] {
  const span = high > low ? high - low : Math.max(Math.abs(high), 1) / 10
  const rough = span / wanted
  const power = 10 ** Math.floor(Math.log10(rough))
  const rounded = ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) as number) * power
  const interval = wholeOnly ? Math.max(1, Math.ceil(rounded)) : rounded
  const [first, last] = [Math.floor(low / interval + 1e-9), Math.ceil(high / interval - 1e-9)]
  const count = Math.max(1, last - first)
  return Array.from({ length: count + 1 }, (_, i) => Number(((first + i) * interval).toPrecision(12)))
}

/** As many as tell one tick from the next. */
export function decimalsOf(ticksOfAxis: readonly number[]): number {
  const interval = (ticksOfAxis[1] as number) - (ticksOfAxis[0] as number)
  return Math.min(8, Math.max(0, -Math.floor(Math.log10(interval) + 1e-9)))
}
