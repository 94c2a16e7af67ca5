// The check before a run starts: images, encoder, work and device, each with what it means.
import { IconAlertTriangle, IconCheck, IconInfoCircle, IconX } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { AppState } from '../../../../shared/contract.ts'
import { imageSplit, type RunConfig, totalStepsOf } from '../../../../shared/runConfig.ts'
import type { ModelView } from '../../../../shared/runView.ts'
import { useAppState } from '../../api.ts'
import { formatCount, formatPlural } from '../../format.ts'
import shared from '../../ui/shared.module.css'
import { deviceLabels } from '../workspace/HardwareCard.tsx'
import css from './RunChecks.module.css'

type Check = readonly [tone: 'right' | 'note' | 'warning' | 'wrong', title: string, words: string]
const icons = { right: IconCheck, note: IconInfoCircle, warning: IconAlertTriangle, wrong: IconX } as const
const toneWords = { right: 'In order', note: 'Note', warning: 'Warning', wrong: 'Missing' } as const

/** Below this, what the validation images say is mostly chance. */
const fewImages = 60

interface RunChecksProps {
  readonly model: ModelView | null
  /** Null while a setting is out of its range. */
  readonly config: RunConfig | null
  readonly isQueueBusy: boolean
}

export function RunChecks({ model, config, isQueueBusy }: RunChecksProps): ReactNode {
  const state = useAppState()
  const checks = [
    encoderCheck(model),
    ...(config ? [imagesCheck(state.workspace?.imageCount ?? 0, config), ...workChecks(config)] : [badConfig]),
    deviceCheck(state),
    ...(isQueueBusy ? [queueNote] : []),
  ]
  return (
    <section className={css.checks} aria-labelledby="checks-title">
      <h3 className={shared.legend} id="checks-title">
        Before it starts
      </h3>
      <ul>
        {checks.map(([tone, title, words]) => {
          const Icon = icons[tone]
          return (
            <li key={title} className={css.check} data-tone={tone}>
              <Icon size={16} role="img" aria-label={toneWords[tone]} />
              <span>
                <strong>{title}.</strong> {words}
              </span>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

const badConfig: Check = ['wrong', 'Settings', 'One of the expert settings is out of its range.']
const queueNote: Check = ['note', 'Queue', 'Another run is under way or waits; this one starts after it.']

function encoderCheck(model: ModelView | null): Check {
  if (!model) return ['wrong', 'Model', 'Add the folder of a model, and of the encoder that its image tower is from.']
  if (model.companionFolder === null) {
    return [
      'wrong',
      'Encoder',
      'This model has none with a text tower yet, so nothing can judge its words. Add it again with one.',
    ]
  }
  if (model.encoderVerified === true) {
    return [
      'right',
      'Encoder verified',
      'Its image tower is the model’s own. How well it tells right words from wrong ones is measured first; one that cannot tell is refused.',
    ]
  }
  if (model.encoderVerified === null)
    return ['warning', 'Encoder not checked', 'Add the model again to have it checked.']
  return [
    'warning',
    'Another encoder',
    'Its image tower is not the model’s own, so the model is judged by other eyes. The calibration says whether they can tell.',
  ]
}

function imagesCheck(images: number, config: RunConfig): Check {
  const { training, validation } = imageSplit(images, config)
  if (validation < 1) return ['wrong', 'Images', 'There are too few; add a folder of images first.']
  const split = `${formatCount(training)} of ${formatPlural(images, 'image')} to learn from, ${formatCount(validation)} others to look at.`
  if (training + validation >= fewImages) return ['right', 'Images', `${split} No annotation is needed.`]
  return ['warning', 'Few images', `${split} With so few, the estimates are mostly chance.`]
}

function workChecks(config: RunConfig): Check[] {
  const steps = totalStepsOf(config)
  const responses = steps * config.rollout.responsesPerStep + config.optimiser.rounds * config.calibration.responses
  const checks: Check[] = [
    [
      'note',
      'Work',
      `${formatPlural(steps, 'step')}, ${formatPlural(responses, 'response')} in all. The time left is known after the first steps; you can pause at any time.`,
    ],
  ]
  if (config.calibration.method === 'annotated') {
    checks.push([
      'warning',
      'Annotations',
      'Calibration with annotations needs a file of them, which cannot be chosen here yet.',
    ])
  }
  return checks
}

function deviceCheck({ hardware, engine }: AppState): Check {
  if (hardware && engine.state === 'ready')
    return ['right', 'Device', `${deviceLabels[hardware.chosen]} does the work.`]
  return ['note', 'Device', 'The engine is not ready yet; the run waits for it.']
}
