// Images that a run could not read and went on without: how many, which, and why.
import { Title } from '@mantine/core'
import { IconPhotoOff } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { RunDetail } from '../../../../shared/runView.ts'
import { skippedReason } from '../../../../shared/skippedWords.ts'
import { formatCount, formatPlural } from '../../format.ts'
import shared from '../../ui/shared.module.css'
import css from './SkippedImages.module.css'

export function SkippedImages({ skipped }: { readonly skipped: RunDetail['skipped'] }): ReactNode {
  const { total, images } = skipped
  if (total === 0) return null
  return (
    <section aria-labelledby="skipped-title">
      <Title order={3} size="h5" id="skipped-title">
        Images that were left out
      </Title>
      <p className={`${shared.finding} ${css.skippedFinding}`} data-state="wrong">
        <IconPhotoOff size={16} aria-hidden="true" />
        {`${formatPlural(total, 'image')} could not be read and ${total === 1 ? 'was' : 'were'} left out. The run went on with the others.`}
      </p>
      <details className={shared.fold}>
        <summary>Which images, and why</summary>
        <ul className={css.skippedImages}>
          {images.map(({ name, path, code, step, times }) => (
            <li key={path}>
              <span className={css.skippedName} title={path}>
                {name}
              </span>
              <span className="quiet">
                {skippedReason(code)}{' '}
                {times === 1
                  ? `Left out at step ${formatCount(step)}.`
                  : `Left out ${formatCount(times)} times, last at step ${formatCount(step)}.`}
              </span>
            </li>
          ))}
        </ul>
        {total > images.length && <p className="quiet">{`And ${formatCount(total - images.length)} more.`}</p>}
      </details>
    </section>
  )
}
