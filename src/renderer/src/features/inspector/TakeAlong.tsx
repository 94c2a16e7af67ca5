// What a person takes along of the inspector: its words as text, what is seen of it as a picture.
import { Button } from '@mantine/core'
import { IconCopy, IconDownload } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { request } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import css from './TakeAlong.module.css'

export interface TakeAlongProps {
  readonly imageName: string
  /** Where the window shows what goes into the picture. */
  readonly area: () => DOMRect | null
  readonly text: () => string
}

export function TakeAlong({ imageName, area, text }: TakeAlongProps): ReactNode {
  const [done, setDone] = useState('')
  const copy = async (): Promise<void> => {
    await request('app.copyText', { text: text() })
    setDone('Copied.')
  }
  const save = async (): Promise<void> => {
    const seen = visiblePart(area())
    const saved = seen && (await request('app.savePicture', { name: imageName.replace(/\.[^.]+$/, ''), area: seen }))
    setDone(saved ? `Saved as ${saved.path}` : '')
  }
  return (
    <div className={css.actions}>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconCopy size={16} aria-hidden="true" />}
        onClick={() => attempt(copy)}
      >
        Copy as text
      </Button>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconDownload size={16} aria-hidden="true" />}
        onClick={() => attempt(save)}
      >
        Save as a picture…
      </Button>
      <span role="status" className={css.done}>
        {done}
      </span>
    </div>
  )
}

/** What of an area the window shows, in whole CSS pixels; null when nothing of it. */
function visiblePart(area: DOMRect | null): { x: number; y: number; width: number; height: number } | null {
  const page = document.getElementById('main')?.getBoundingClientRect()
  if (!area || !page) return null
  const [x, y] = [Math.round(Math.max(area.left, page.left)), Math.round(Math.max(area.top, page.top))]
  const width = Math.round(Math.min(area.right, page.right, innerWidth)) - x
  const height = Math.round(Math.min(area.bottom, page.bottom, innerHeight)) - y
  return width > 0 && height > 0 ? { x, y, width, height } : null
}
