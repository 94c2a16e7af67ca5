// Markup and numbers of a run's report: text becomes markup in one place, escaped, so no part can forget it.
// The other files of this folder write with these.
import type { Estimate } from '../../../shared/evaluation.ts'

/** Markup that is safe as it stands. Only {@link html} and the style sheet make it. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What may stand in a gap of {@link html}; null leaves it empty. */
export type Content = string | number | Markup | null | readonly Content[]

/** Markup from a template: strings in its gaps are escaped, lists are joined. */
export function html(parts: TemplateStringsArray, ...gaps: readonly Content[]): Markup {
  return new Markup(parts.reduce((text, part, i) => `${text}${textOf(gaps[i - 1] as Content)}${part}`))
}

function textOf(content: Content): string {
  if (content === null) return ''
  if (content instanceof Markup) return content.text
  if (typeof content === 'string') return escapeText(content)
  if (typeof content === 'number') return String(content)
  return content.map(textOf).join('')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/**
 * Text as it may stand between tags and in quoted attributes. Control characters, which HTML does not allow and XML
 * parsers refuse, become the replacement character.
 */
export function escapeText(text: string): string {
  const escaped = text.replace(/[&<>"']/g, (character) => entities[character] as string)
  return Array.from(escaped, (character) => (isForbidden(character) ? '\uFFFD' : character)).join('')
}

function isForbidden(character: string): boolean {
  const code = character.codePointAt(0) as number
  const isControl = (code < 0x20 && code !== 0x09 && code !== 0x0a) || (code >= 0x7f && code < 0xa0)
  return isControl || (code >= 0xd800 && code < 0xe000)
}

/** A number with a fixed count of decimals and a true minus sign; an en dash where there is none. */
export function fixed(value: number | null | undefined, decimals: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–'
  const text = value.toFixed(decimals)
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '−')
}

/** The same with a plus sign before what is above 0. */
export function signed(value: number | null, decimals: number): string {
  const text = fixed(value, decimals)
  return value !== null && Number(value.toFixed(decimals)) > 0 ? `+${text}` : text
}

/** A whole number with thin spaces between its thousands. */
export function whole(value: number): string {
  return fixed(value, 0).replace(/\B(?=(\d{3})+$)/g, '\u202f')
}

/** "9.9 (8.1 to 11.8)": a figure and its interval, both times the scale. */
export function withInterval(estimate: Estimate, scale: number, decimals: number): string {
  const { value, low, high } = estimate
  if (value === null) return 'not defined'
  const interval = intervalText(estimate, scale, decimals)
  const text = fixed(value * scale, decimals)
  return low === null || high === null ? `${text} (no interval)` : `${text} (${interval})`
}

/** "8.1 to 11.8". */
export function intervalText({ low, high }: Estimate, scale: number, decimals: number): string {
  if (low === null || high === null) return 'no interval'
  const [from, to] = [low * scale, high * scale].sort((a, b) => a - b) as [number, number]
  return `${fixed(from, decimals)} to ${fixed(to, decimals)}`
}

/** Whether an interval says that there is a difference: 1 upwards, -1 downwards, 0 when it holds 0 or is missing. */
export function directionOf({ low, high }: Estimate): -1 | 0 | 1 {
  if (low === null || high === null) return 0
  if (low > 0 && high > 0) return 1
  return low < 0 && high < 0 ? -1 : 0
}

/** A table that scrolls by itself where the page is too narrow; reachable by keyboard, named by its caption. */
export function table(
  id: string,
  caption: Content,
  head: readonly (readonly [title: Content, kind: 'text' | 'number'])[],
  rows: readonly Markup[],
): Markup {
  const titles = head.map(([title, kind]) => html`<th scope="col" class="${kind}">${title}</th>`)
  return html`<div class="scroll" role="region" aria-labelledby="${id}" tabindex="0"><table>
<caption id="${id}">${caption}</caption>
<thead><tr>${titles}</tr></thead>
<tbody>${rows}</tbody>
</table></div>
`
}
