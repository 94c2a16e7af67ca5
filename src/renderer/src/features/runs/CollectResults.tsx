// Takes the results of a sweep over that other machines carried out: a folder is chosen, and its sweep shown.
import { Button } from '@mantine/core'
import { IconFolderDown } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { request, useAppState } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { navigate } from '../../place.ts'

export function CollectResults(): ReactNode {
  const isReading = useAppState().workspace?.readOnlyBecause !== null
  const [isBusy, setBusy] = useState(false)
  const collect = async (): Promise<void> => {
    setBusy(true)
    try {
      const found = await request('sweeps.collect', {})
      if (found) navigate({ page: 'runs', sweepId: found.sweepId })
    } finally {
      setBusy(false)
    }
  }
  return (
    <Button
      variant="subtle"
      color="gray"
      leftSection={<IconFolderDown size={18} />}
      loading={isBusy}
      disabled={isReading}
      onClick={() => attempt(collect)}
    >
      Collect results…
    </Button>
  )
}
