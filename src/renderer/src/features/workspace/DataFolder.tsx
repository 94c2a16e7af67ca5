// Where the app keeps its settings, logs and cache, and how much of the disk the cache takes. Part of the card about this
// computer, so that it is known from the first start on.
import { Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { formatBytes } from '../../format.ts'
import { useCacheSize, useSettings } from '../../queries/everywhere.ts'
import css from './HardwareCard.module.css'

export function DataFolder(): ReactNode {
  const settings = useSettings()
  const { sizeBytes } = useCacheSize()
  if (settings === null) return null
  return (
    <div className={css.dataFolder}>
      <Text size="sm" className="quiet">
        Settings, logs and the cache{sizeBytes !== null && ` (${formatBytes(sizeBytes)})`} lie in
      </Text>
      <span className="path quiet">{settings.cacheFolder}</span>
    </div>
  )
}
