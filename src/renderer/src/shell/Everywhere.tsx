// What is at hand on every page: the command palette, the keys and their list.
import { spotlight } from '@mantine/spotlight'
import { type ReactNode, useState } from 'react'
import { useStudioEvent } from '../api.ts'
import { Help } from './Help.tsx'
import { useKeys } from './keys.ts'
import { Palette } from './Palette.tsx'
import { useTour } from './Tour.tsx'

export function Everywhere(): ReactNode {
  const [isHelping, setHelping] = useState(false)
  const { show } = useTour()
  const help = (): void => setHelping(true)
  useKeys({ palette: spotlight.open, help })
  useStudioEvent('menu.command', ({ command }) => command === 'showShortcuts' && help())
  return (
    <>
      <Palette onHelp={help} onTour={() => show(0)} />
      {isHelping && <Help onClose={() => setHelping(false)} />}
    </>
  )
}
