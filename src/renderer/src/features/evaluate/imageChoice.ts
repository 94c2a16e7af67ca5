// Which images of the workspace are evaluated, as a list to choose from. Pure.
import type { TagRecord } from '../../../../shared/domain.ts'
import type { ImageChoice } from '../../../../shared/evaluations.ts'
import { formatPlural } from '../../format.ts'
import type { GridQuery } from '../images/gridQuery.ts'

export interface ImageOption {
  readonly value: string
  readonly label: string
  readonly choice: ImageChoice
}

/** @param grid null while the grid shows all images */
export function imageOptions(tags: readonly TagRecord[], grid: GridQuery | null): ImageOption[] {
  return [
    { value: 'all', label: 'All of the workspace', choice: { from: 'all' } },
    ...(grid === null
      ? []
      : [
          {
            ...{ value: 'filter', label: `What the grid shows: ${formatPlural(grid.images, 'image')}` },
            choice: { from: 'filter' as const, query: grid.query },
          },
        ]),
    ...tags.map(({ name, images }) => ({
      ...{ value: `tag ${name}`, label: `With the tag “${name}”: ${formatPlural(images, 'image')}` },
      choice: { from: 'tag' as const, tag: name },
    })),
  ]
}

/** The value of the option with this choice; null when it is not offered. */
export function chosenOption(options: readonly ImageOption[], choice: ImageChoice): string | null {
  const text = JSON.stringify(choice)
  return options.find((option) => JSON.stringify(option.choice) === text)?.value ?? null
}
