// Settings and costs of a run's report. Titles, units, defaults and sources of the settings come from their schema
// (src/shared/runConfig.ts), so a new setting appears here by itself.
import type { z } from 'zod'
import { type PresetName, presetConfig, presets, type RunConfig, runConfigSchema } from '../../../shared/runConfig.ts'
import type { SettingMeta } from '../../../shared/settingMeta.ts'
import { fixed, html, type Markup, table, whole } from './markup.ts'
import type { RunReport } from './reportData.ts'

const sectionTitles: Readonly<Record<keyof RunConfig, string>> = {
  rollout: 'Responses',
  reward: 'Reward',
  calibration: 'Calibration',
  optimiser: 'Training',
  base: 'Model',
  adapter: 'Adapter',
  evaluation: 'Evaluation',
}

type SettingValue = string | number | boolean | null

interface SettingRow extends SettingMeta {
  readonly value: SettingValue
  readonly fallback: SettingValue
  readonly changedBy: 'preset' | 'run' | null
}

/** The settings of one section, in the order of the schema. @param ofPreset the preset's own config, if it is known */
function settingRows(config: RunConfig, section: keyof RunConfig, ofPreset: RunConfig | null): SettingRow[] {
  const fields = runConfigSchema.shape[section].unwrap().shape as Readonly<Record<string, z.ZodDefault<z.ZodType>>>
  const values = config[section] as Readonly<Record<string, SettingValue>>
  const preset = ofPreset?.[section] as Readonly<Record<string, SettingValue>> | undefined
  return Object.entries(fields).map(([name, field]) => {
    const meta = field.unwrap().meta() as unknown as SettingMeta
    const value = values[name] ?? null
    const fallback = field.def.defaultValue as SettingValue
    const changedBy = value === fallback ? null : preset && preset[name] === value ? 'preset' : 'run'
    return { ...meta, value, fallback, changedBy }
  })
}

/** Every setting with its unit, default and source; changed ones are marked. */
export function settingsSection(config: RunConfig | null, preset: string): Markup {
  if (!config) {
    return html`<section aria-labelledby="settings"><h2 id="settings">Settings</h2>
<p>The settings of this run were written by another version and cannot be shown.</p></section>`
  }
  const known = Object.hasOwn(presets, preset) ? (preset as PresetName) : null
  const ofPreset = known && presetConfig(known)
  const sections = Object.keys(sectionTitles) as (keyof RunConfig)[]
  const rows = sections.map((section) => ({ section, rows: settingRows(config, section, ofPreset) }))
  const changed = rows.flatMap((one) => one.rows).filter(({ changedBy }) => changedBy !== null).length
  const purpose = known ? `“${presets[known].title}”: ${presets[known].purpose}` : `“${preset}”.`
  const marked =
    changed === 0
      ? 'Every value is its default.'
      : `${changed} ${changed === 1 ? 'value differs' : 'values differ'} from the default and ${changed === 1 ? 'is' : 'are'} marked.`
  const head = [
    ['Setting', 'text'],
    ['Value', 'text'],
    ['Default', 'text'],
    ['Source of the default', 'text'],
  ] as const
  return html`<section aria-labelledby="settings">
<h2 id="settings">Settings</h2>
<p>Preset ${purpose} ${marked}</p>
${table(
  'settings-table',
  'All settings of the run',
  head,
  rows.flatMap(({ section, rows: settings }) => [
    html`<tr class="group"><th scope="colgroup" colspan="4">${sectionTitles[section]}</th></tr>`,
    ...settings.map(settingMarkup),
  ]),
)}
</section>`
}

function settingMarkup({ title, unit, source, value, fallback, changedBy }: SettingRow): Markup {
  const badge =
    changedBy && html` <span class="badge">${changedBy === 'preset' ? 'changed by the preset' : 'changed'}</span>`
  return html`<tr class="${changedBy ? 'changed' : 'plain'}"><th scope="row">${title}${unit ? html`<small>${unit}</small>` : null}</th><td>${valueText(value)}${badge}</td><td>${valueText(fallback)}</td><td>${source}</td></tr>
`
}

function valueText(value: SettingValue): string {
  if (value === null) return 'none'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return typeof value === 'number' ? String(value).replace('-', '−') : value
}

/** Where the time went. */
export function costSection({ durationS, tokensGenerated, images, run }: RunReport): Markup {
  const { total, ...phases } = durationS
  const names: Readonly<Record<keyof typeof phases, string>> = {
    rollout: 'Rollout: the model responds to the images',
    reward: 'Reward: words found, scored and rewarded',
    update: 'Update: adapter and value head learn',
    evaluate: run ? 'Looks at the validation images' : 'Evaluation: validation and held-out images',
  }
  const sum = Object.values(phases).reduce((seconds, one) => seconds + one, 0)
  const rest = Math.max(0, total - sum)
  const entries = [
    ...(Object.keys(names) as (keyof typeof phases)[]).map((phase) => [names[phase], phases[phase]] as const),
    [run ? 'The rest: opening models, files, pauses' : 'The rest: opening models, import, files', rest] as const,
  ]
  const rows = entries.map(([name, seconds]) => {
    const share = total > 0 ? (100 * seconds) / total : 0
    return html`<tr><th scope="row">${name}</th><td class="number">${fixed(seconds, 1)}</td><td class="number">${fixed(share, 1)}</td>
<td class="bars"><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="bar-after neutral" width="${fixed(Math.min(100, share), 1)}" height="8"/></svg></td></tr>`
  })
  const all = html`<tr class="sum"><th scope="row">In all</th><td class="number">${fixed(total, 1)}</td><td class="number">${total > 0 ? '100.0' : '–'}</td><td></td></tr>`
  const ratio =
    phases.rollout > 0
      ? ` Rewards took ${fixed((100 * phases.reward) / phases.rollout, 1)} % of the time of rollouts.`
      : ''
  const head = [
    ['Part', 'text'],
    ['Seconds', 'number'],
    ['Share, %', 'number'],
    ['', 'text'],
  ] as const
  const named = head.map(
    ([title, kind]) => [title === '' ? html`<span class="hidden">Share as a bar</span>` : title, kind] as const,
  )
  return html`<section aria-labelledby="costs">
<h2 id="costs">Durations and costs</h2>
<p>${whole(tokensGenerated)} tokens generated in training, on ${whole(images.alignment)} images.${ratio} Nothing left this
machine.</p>
${table('cost-table', 'Seconds by part of the run', named, [...rows, all])}
</section>`
}
