// New run, second step: how many images it learns from and looks at, and which are left out.
import { Button } from '@mantine/core'
import { IconPhotoOff } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { imageSplit } from '../../../../shared/runConfig.ts'
import { draftFields, keyOf } from '../../../../shared/runDraft.ts'
import { useAppState } from '../../api.ts'
import { formatCount, formatPlural, shortenPath } from '../../format.ts'
import { showPage } from '../../place.ts'
import { useMissingFiles } from '../../queries/newRun.ts'
import shared from '../../ui/shared.module.css'
import { DraftInput } from './DraftInput.tsx'
import css from './NewRunSteps.module.css'
import type { NewRun } from './newRunDraft.ts'

/** Settings that are about images, asked for here and not among the expert settings. */
export const imageSettings: ReadonlySet<string> = new Set(['rollout.mostImages', 'evaluation.images'])

const fields = (['rollout', 'evaluation'] as const).flatMap(draftFields).filter((one) => imageSettings.has(keyOf(one)))

export function ImagesStep({ newRun }: { readonly newRun: NewRun }): ReactNode {
  const all = useAppState().workspace?.imageCount ?? 0
  const { config } = newRun.read
  const split = config && imageSplit(all, config)
  return (
    <>
      <section aria-labelledby="images-step-title">
        <h2 className={shared.legend} id="images-step-title">
          Which images?
        </h2>
        <p className={css.lead} role="status" aria-label="Images of the run">
          {all === 0
            ? 'The workspace has no images yet. A few hundred are a good start; no annotation is needed.'
            : split
              ? splitWords(all, split)
              : 'What is used can be told once no setting is wrong.'}
        </p>
        {split && all > 0 && <SplitBar all={all} {...split} />}
        {all === 0 && <Button onClick={() => showPage('images')}>Add images first</Button>}
      </section>
      <div className={css.fields}>
        {fields.map((field) => (
          <DraftInput key={keyOf(field)} field={field} newRun={newRun} />
        ))}
      </div>
      <MissingFiles />
    </>
  )
}

interface Split {
  readonly training: number
  readonly validation: number
}

function splitWords(all: number, { training, validation }: Split): string {
  const left = all - training - validation
  const words = `${formatCount(training)} of ${formatPlural(all, 'image')} to learn from, ${formatCount(validation)} others to look at.`
  return left === 0 ? words : `${words} ${formatCount(left)} are left out, drawn by the seed.`
}

function SplitBar({ all, training, validation }: Split & { readonly all: number }): ReactNode {
  return (
    <div className={css.split} aria-hidden="true">
      <span className={css.splitTraining} style={{ flexGrow: training }} />
      <span className={css.splitValidation} style={{ flexGrow: validation }} />
      <span style={{ flexGrow: all - training - validation }} />
    </div>
  )
}

/** Images whose files are gone: a run leaves them out at their turn. */
function MissingFiles(): ReactNode {
  const found = useMissingFiles()
  if (!found) return null
  const { images, checked, missing, folders } = found
  const looked = checked < images ? ` Of ${formatCount(images)}, ${formatCount(checked)} were looked for.` : ''
  if (missing === 0) return <p className={css.note}>{`No file of an image is missing.${looked}`}</p>
  return (
    <section aria-label="Missing files">
      <p className={`${shared.finding} ${css.note}`} data-state="wrong">
        <IconPhotoOff size={16} aria-hidden="true" />
        <span>
          {`${formatPlural(missing, 'image is', 'images are')} no longer where ${missing === 1 ? 'it was' : 'they were'}: the run leaves them out.${looked} Say on the Images page where the folder is now.`}
        </span>
      </p>
      <details className={shared.fold}>
        <summary>Which folders</summary>
        <ul className={css.folders}>
          {folders.map(({ folder, images: inFolder, missing: gone }) => (
            <li key={folder}>
              <bdi className="path" title={folder}>
                {shortenPath(folder, 80)}
              </bdi>{' '}
              <span className="quiet">{`${formatCount(gone)} of ${formatCount(inFolder)}`}</span>
            </li>
          ))}
        </ul>
      </details>
    </section>
  )
}
