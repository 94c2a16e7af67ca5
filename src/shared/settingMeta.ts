// What is said of a setting of a run beside its value, and when it is read at all. runConfig.ts says it of each setting,
// settingFields.ts reads it for forms.

/** What another setting must be for a setting to say anything: one of these values. */
export interface SettingCondition {
  /** By section and name, e.g. `reward.method`. */
  readonly setting: string
  readonly is: readonly (string | boolean)[]
}

/** What is said of a setting beside its value. */
export interface SettingMeta {
  /** For a person, in a few words. */
  readonly title: string
  readonly unit?: string
  /** Where the default comes from. */
  readonly source: string
  /** Each choice for a person, by its value. */
  readonly labels?: Readonly<Record<string, string>>
  /** All must hold, or the setting is not read; it always is when left out. */
  readonly appliesTo?: readonly SettingCondition[]
}

export const learns: SettingCondition = { setting: 'reward.method', is: ['token', 'sentence', 'dpo'] }
export const byPpo: SettingCondition = { setting: 'reward.method', is: ['token', 'sentence'] }
export const byDpo: SettingCondition = { setting: 'reward.method', is: ['dpo'] }
export const byToken: SettingCondition = { setting: 'reward.method', is: ['token'] }
export const bySentence: SettingCondition = { setting: 'reward.method', is: ['sentence', 'dpo'] }
/** A placebo is blind by intention: nobody asks what it can tell. */
export const judgesItself: SettingCondition = { setting: 'reward.verifier', is: ['own'] }
export const isFree: SettingCondition = { setting: 'calibration.method', is: ['free'] }
export const isAnnotated: SettingCondition = { setting: 'calibration.method', is: ['annotated'] }
