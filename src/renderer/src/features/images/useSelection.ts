// The choice of images in the grid, as file managers do it: a click for one, Ctrl for one more or less, Shift from the
// last one to this, Ctrl+A for all. Another query begins with nothing chosen.
import { useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import type { ImageQuery } from '../../../../shared/domain.ts'
import { useWorkspaceKey } from '../../api.ts'
import { attempt, showError } from '../../attempt.ts'
import { imageIdsAt } from '../../queries/images.ts'
import { mostChosen, nothing, type Selection, these, toggled } from './selection.ts'

export interface Choosing {
  readonly selection: Selection
  /** This one alone. */
  readonly only: (index: number, imageId: number) => void
  /** One more or one less. */
  readonly toggle: (index: number, imageId: number) => void
  /** All from the one that was chosen last to this. */
  readonly upTo: (index: number) => void
  readonly all: () => void
  readonly clear: () => void
}

/** @param total images of the query */
export function useSelection(query: ImageQuery, total: number): Choosing {
  const client = useQueryClient()
  const w = useWorkspaceKey()
  const [chosen, setChosen] = useState({ query, selection: nothing })
  const anchor = useRef(0)
  // Of several requests for ids only the last one counts.
  const asked = useRef(0)
  const selection = chosen.query === query ? chosen.selection : nothing
  const set = (next: Selection): void => {
    asked.current++
    setChosen({ query, selection: next })
  }
  const setLater = (start: number, end: number, make: (ids: number[]) => Selection): void => {
    const request = ++asked.current
    attempt(async () => {
      const ids = await imageIdsAt(client, w, query, start, end)
      if (request === asked.current) setChosen({ query, selection: make(ids) })
    })
  }
  return {
    selection,
    only: (index, imageId) => {
      anchor.current = index
      set(these([imageId]))
    },
    toggle: (index, imageId) => {
      anchor.current = index
      if (selection.of === 'some') {
        if (selection.ids.size >= mostChosen && !selection.ids.has(imageId)) showError(tooMany)
        else set(toggled(selection.ids, imageId))
      } else if (total > mostChosen) set(these([imageId]))
      else setLater(0, total, (ids) => toggled(new Set(ids), imageId))
    },
    upTo: (index) => {
      const [start, last] = [Math.min(anchor.current, index), Math.max(anchor.current, index)]
      if (last - start >= mostChosen) showError(tooMany)
      else setLater(start, last + 1, these)
    },
    all: () => set({ of: 'all' }),
    clear: () => set(nothing),
  }
}

const tooMany = {
  code: 'image.too-many-chosen',
  message: `At most ${mostChosen.toLocaleString()} images can be chosen one by one.`,
  remedy: 'Filter the images to those that you mean, then choose all of them with Ctrl+A.',
} as const
