// Files and folders that are dropped anywhere on the window while the page is shown.
import { useEffect, useEffectEvent, useState } from 'react'

/** @returns whether something that could be dropped is held over the window */
export function useWindowDrop(isOff: boolean, onDrop: (paths: readonly string[]) => void): boolean {
  const [isOver, setOver] = useState(false)
  const take = useEffectEvent((files: FileList) => {
    const paths = [...files].map((file) => window.studio.pathOfDropped(file)).filter(Boolean)
    if (paths.length > 0) onDrop(paths)
  })
  useEffect(() => {
    if (isOff) return
    // Entering a child fires before leaving its parent, so the depth is 0 only outside of the window.
    let depth = 0
    const hasFiles = ({ dataTransfer }: DragEvent): boolean => dataTransfer?.types.includes('Files') ?? false
    const enter = (event: DragEvent): void => {
      if (!hasFiles(event)) return
      depth++
      setOver(true)
    }
    const over = (event: DragEvent): void => {
      if (hasFiles(event)) event.preventDefault()
    }
    const leave = (event: DragEvent): void => {
      if (hasFiles(event) && --depth <= 0) setOver(false)
    }
    const drop = (event: DragEvent): void => {
      depth = 0
      setOver(false)
      if (!hasFiles(event) || !event.dataTransfer) return
      event.preventDefault()
      take(event.dataTransfer.files)
    }
    const listeners = { dragenter: enter, dragover: over, dragleave: leave, drop } as const
    for (const [name, listener] of Object.entries(listeners)) {
      window.addEventListener(name as keyof typeof listeners, listener)
    }
    return () => {
      for (const [name, listener] of Object.entries(listeners)) {
        window.removeEventListener(name as keyof typeof listeners, listener)
      }
    }
  }, [isOff])
  return isOver && !isOff
}
