// What can be told of a new run at once, without the engine: model, images, settings, annotations. Before it stands New
// run's page; runChecks.ts measures what is left.
import { existsSync, statSync } from 'node:fs'
import { z } from 'zod'
import type { NewRunRequest } from '../../shared/contract.ts'
import type { ModelRecord } from '../../shared/domain.ts'
import type { CheckFinding, CheckVerdict, RunPrecheck } from '../../shared/runCheck.ts'
import { imageSplit, lacksAnnotations, presetConfig, type RunConfig, totalStepsOf } from '../../shared/runConfig.ts'
import { draftFields } from '../../shared/runDraft.ts'
import { type RunSection, runSections } from '../../shared/settingFields.ts'

/** The fewest images that a run can be made with (run/schedule.ts of the engine). */
const fewestImages = 3
/** Below this, what the validation images say is mostly chance. */
const fewImages = 60

const verdictOrder: readonly CheckVerdict[] = ['ok', 'warning', 'refused']

/** @param model undefined when it is not in the workspace */
export function precheckRun(
  request: Pick<NewRunRequest, 'preset' | 'changes'>,
  model: ModelRecord | undefined,
  imageCount: number,
): RunPrecheck {
  const { config, finding } = readConfig(request)
  const images = config && imageCount >= fewestImages ? imageSplit(imageCount, config) : null
  const findings = [
    modelFinding(model),
    imagesFinding(imageCount, images),
    finding,
    ...(config?.calibration.method === 'annotated' ? [annotationsFinding(config)] : []),
  ]
  return {
    ...{ verdict: worst(findings), findings, images },
    totalSteps: config && totalStepsOf(config),
  }
}

/** The worst verdict of the findings. */
export function worst(findings: readonly Pick<CheckFinding, 'verdict'>[]): CheckVerdict {
  const rank = Math.max(0, ...findings.map(({ verdict }) => verdictOrder.indexOf(verdict)))
  return verdictOrder[rank] as CheckVerdict
}

type Words = Pick<CheckFinding, 'sentence'> & Partial<Pick<CheckFinding, 'remedy' | 'field'>>

const found = (about: CheckFinding['about'], verdict: CheckVerdict, words: Words): CheckFinding => ({
  ...{ about, verdict, remedy: null, field: null },
  ...words,
})

function modelFinding(model: ModelRecord | undefined): CheckFinding {
  const is = (verdict: CheckVerdict, sentence: string, remedy: string | null = null) =>
    found('model', verdict, { sentence, remedy })
  if (!model)
    return is('refused', 'The model of this run is not in the workspace.', 'Add the model, or choose another.')
  const { companionFolder, encoderVerified } = model
  if (companionFolder === null) {
    return is(
      'refused',
      'This model has no encoder with a text tower yet, so nothing can judge its words.',
      'Add the model again with the CLIP or SigLIP model that its image tower was taken from.',
    )
  }
  const gone = [model.folder, companionFolder].find((folder) => !existsSync(folder))
  if (gone !== undefined) {
    return is('refused', `The folder ${gone} is no longer there.`, 'Say where it is now on the Models page.')
  }
  if (encoderVerified === true) return is('ok', 'The encoder is the model’s own: its image tower is the same.')
  const sentence =
    encoderVerified === null
      ? 'Whether the encoder is the model’s own was not checked.'
      : 'The encoder is not the model’s own, so the model is judged by other eyes.'
  return is('warning', sentence, 'Add the model again with the encoder that its image tower was taken from.')
}

function imagesFinding(imageCount: number, images: RunPrecheck['images']): CheckFinding {
  const remedy = 'Add a folder of images; a few hundred are a good start.'
  if (imageCount < fewestImages) {
    const sentence = `There are ${imageCount} images, and a run needs at least ${fewestImages}.`
    return found('images', 'refused', { sentence, remedy })
  }
  if (!images) return found('images', 'ok', { sentence: `There are ${imageCount} images.` })
  const { training, validation } = images
  const split = `${training} images to learn from, ${validation} others to look at.`
  if (training + validation >= fewImages) return found('images', 'ok', { sentence: split })
  return found('images', 'warning', { sentence: `${split} With so few, the estimates are mostly chance.`, remedy })
}

function readConfig(request: Pick<NewRunRequest, 'preset' | 'changes'>): {
  config: RunConfig | null
  finding: CheckFinding
} {
  try {
    const config = presetConfig(request.preset, request.changes)
    return { config, finding: found('settings', 'ok', { sentence: 'All settings are in their ranges.' }) }
  } catch (thrown) {
    if (!(thrown instanceof z.ZodError)) throw thrown
    return { config: null, finding: settingsFinding(thrown) }
  }
}

/** The first setting that is wrong, by its title. */
function settingsFinding({ issues }: z.ZodError): CheckFinding {
  const [issue] = issues
  const [section = '', name = ''] = (issue?.path ?? []).map(String)
  const remedy = 'Change it under the expert settings, or take the preset as it is.'
  const sentence = `The setting “${titleOf(section, name)}” cannot be used: ${issue?.message ?? 'unknown'}.`
  return found('settings', 'refused', { sentence, remedy, field: { section, name } })
}

function titleOf(section: string, name: string): string {
  const isSection = (one: string): one is RunSection => runSections.some((known) => known === one)
  const field = isSection(section) ? draftFields(section).find((one) => one.name === name) : undefined
  return (field?.title ?? [section, name].filter(Boolean).join('.')) || 'unknown'
}

function annotationsFinding(config: RunConfig): CheckFinding {
  const field = { section: 'calibration', name: 'annotationFile' }
  const refused = (sentence: string): CheckFinding =>
    found('annotations', 'refused', {
      ...{ sentence, field },
      remedy: 'Choose a file of COCO annotations, or calibrate without annotations.',
    })
  if (lacksAnnotations(config)) return refused('Calibration with annotations needs a file of them, and none is chosen.')
  const { annotationFile } = config.calibration
  if (config.reward.verifier === 'placebo' || annotationFile === null) {
    return found('annotations', 'ok', { sentence: 'A placebo reads no annotations.', field })
  }
  if (!isFile(annotationFile)) return refused(`The file of annotations ${annotationFile} cannot be read.`)
  return found('annotations', 'ok', {
    sentence: 'The file of annotations is there; it is read when the run begins.',
    field,
  })
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}
