// The drawing of a calibration in a run's report: the two groups of verifier scores as normal curves, with the
// baselines and the margin between which nothing is rewarded.
import type { ScoreGroup } from '../../../shared/calibration.ts'
import type { CalibrationView } from '../../../shared/runView.ts'
import { decimalsOf, position, ticks } from './charts.ts'
import { fixed, html, type Markup } from './markup.ts'

const size = { width: 460, height: 230, left: 14, right: 14, top: 30, bottom: 36 } as const
/** How far a curve is drawn to either side of its mean, in deviations. */
const deviationsDrawn = 3.2
const pointsOfCurve = 80

/** π N(s | μ, σ). */
function density({ share, mean, standardDeviation }: ScoreGroup, score: number): number {
  const z = (score - mean) / standardDeviation
  return (share / (standardDeviation * Math.sqrt(2 * Math.PI))) * Math.exp(-0.5 * z * z)
}

function canBeDrawn(component: ScoreGroup | null): component is ScoreGroup {
  if (!component) return false
  const { share, mean, standardDeviation } = component
  return [share, mean, standardDeviation].every(Number.isFinite) && standardDeviation > 0 && share > 0
}

/** Curves weighted by how many scores are in each group. @param margin λ of the reward */
export function componentsDrawing(
  { grounded, hallucinated, baselines, method }: CalibrationView,
  margin: number,
): Markup {
  if (!canBeDrawn(grounded) || !canBeDrawn(hallucinated)) {
    return html`<p>There are not two groups of scores to draw.</p>`
  }
  const groups = [hallucinated, grounded]
  const ends = groups.flatMap(({ mean, standardDeviation }) => [
    mean - deviationsDrawn * standardDeviation,
    mean + deviationsDrawn * standardDeviation,
  ])
  const across = ticks(Math.min(...ends), Math.max(...ends), 6, false)
  const x = position(across, size.left, size.width - size.right)
  const floor = size.height - size.bottom
  const highest = Math.max(...groups.map((group) => density(group, group.mean)))
  const y = (value: number): number => floor - (value / highest) * (floor - size.top - 16)
  const outline = (group: ScoreGroup): string => {
    const [low, high] = [across[0] as number, across.at(-1) as number]
    const scores = Array.from({ length: pointsOfCurve + 1 }, (_, i) => low + ((high - low) * i) / pointsOfCurve)
    return scores.map((score) => `${x(score).toFixed(1)},${y(density(group, score)).toFixed(1)}`).join(' ')
  }
  const area = (group: ScoreGroup, name: string, kind: string): Markup => {
    const corners = `${size.left},${floor} ${outline(group)} ${size.width - size.right},${floor}`
    const share = `${name}: ${fixed(group.share * 100, 1)} % of the scores, mean ${fixed(group.mean, 2)}, deviation ${fixed(group.standardDeviation, 2)}`
    return html`<polygon class="area ${kind}" points="${corners}"><title>${share}</title></polygon>`
  }
  const decimals = decimalsOf(across)
  const what =
    method === 'mixture' ? 'with the estimated means and deviations' : 'with the measured means and deviations'
  return html`<figure class="components"><figcaption>Verifier scores of object words, two groups ${what}</figcaption>
<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="Two curves over the verifier’s score: hallucinated words round ${fixed(hallucinated.mean, 2)}, grounded words round ${fixed(grounded.mean, 2)}.">
${area(hallucinated, 'Hallucinated', 'hallucinated')}${area(grounded, 'Grounded', 'grounded')}
<line class="axis" x1="${size.left}" x2="${size.width - size.right}" y1="${floor}" y2="${floor}"/>
${across.map((tick) => html`<text class="tick middle" x="${x(tick).toFixed(1)}" y="${floor + 15}">${fixed(tick, decimals)}</text>`)}
<text class="tick end" x="${size.width - size.right}" y="${size.height - 4}">verifier score</text>
${baselines && baselineMarks(baselines, margin, x, floor)}
</svg>
<p class="key"><span class="swatch hallucinated"></span>hallucinated ${fixed(hallucinated.share * 100, 0)} %
<span class="swatch grounded"></span>grounded ${fixed(grounded.share * 100, 0)} % of the scores</p></figure>`
}

/** Lines at μ_hal - λ and μ_gt + λ, beyond which words are rewarded by their own baselines; labels point outwards. */
function baselineMarks(
  { muGt, muHal }: { readonly muGt: number; readonly muHal: number },
  margin: number,
  x: (score: number) => number,
  floor: number,
): Markup {
  const mark = (score: number, label: Markup, side: 'start' | 'end'): Markup => {
    const at = x(score)
    const beside = (side === 'end' ? at - 5 : at + 5).toFixed(1)
    return html`<line class="best" x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="${size.top - 14}" y2="${floor}"/>
<text class="label ${side}" x="${beside}" y="${size.top - 6}">${label}</text>`
  }
  const lambda = margin === 0 ? '' : ' − λ'
  const up = margin === 0 ? '' : ' + λ'
  return html`${mark(muHal - margin, html`μ<tspan class="sub" dy="3">hal</tspan><tspan dy="-3">${lambda} ${fixed(muHal - margin, 2)}</tspan>`, 'end')}
${mark(muGt + margin, html`μ<tspan class="sub" dy="3">gt</tspan><tspan dy="-3">${up} ${fixed(muGt + margin, 2)}</tspan>`, 'start')}`
}
