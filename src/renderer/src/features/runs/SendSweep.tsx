// A sweep for other machines: what Slurm is to give a cell, and then the folder that they see. Before it stands New run, after it
// main, which writes the sweep.
import { Button, Stack, Text, TextInput } from '@mantine/core'
import { IconFolderOpen } from '@tabler/icons-react'
import { type ChangeEvent, type ReactNode, useState } from 'react'
import { type ErrorRecord, toErrorRecord } from '../../../../shared/errors.ts'
import type { NewSweep } from '../../../../shared/sweepChannels.ts'
import {
  emptyResources,
  type ResourcesDraft,
  readResources,
  usualCopySeconds,
  usualTime,
} from '../../../../shared/sweepResources.ts'
import { request } from '../../api.ts'
import { decimalSign, formatPlural } from '../../format.ts'
import { useCellMemory } from '../../queries/sweeps.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorAlert } from '../../ui/ErrorAlert.tsx'
import shared from '../../ui/shared.module.css'
import css from './SeveralAtOnce.module.css'

interface SendSweepProps {
  readonly sweep: NewSweep
  readonly onClose: () => void
  readonly onSent: (sweepId: string) => void
}

export function SendSweep({ sweep, onClose, onSent }: SendSweepProps): ReactNode {
  const [draft, setDraft] = useState<ResourcesDraft>(emptyResources)
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<ErrorRecord | null>(null)
  const { resources, problems } = readResources(draft, decimalSign)
  const send = async (): Promise<void> => {
    if (!resources) return
    setBusy(true)
    setError(null)
    try {
      const made = await request('sweeps.send', { ...sweep, resources })
      if (made) return onSent(made.sweepId)
    } catch (thrown) {
      setError(toErrorRecord(thrown))
    }
    setBusy(false)
  }
  return (
    <Dialog onClose={onClose} centered size="lg" title="Send to the cluster">
      <Stack gap="lg">
        <Text size="sm">
          {formatPlural(sweep.runs.length, 'cell')}
          {sweep.withPlacebo ? ', each with its placebo,' : ''} into a new folder in one that all machines see. Nothing
          starts by itself: the page of the sweep says how.
        </Text>
        <Options draft={draft} onChange={setDraft} sweep={sweep} problems={problems} />
        {error && <ErrorAlert error={error} />}
      </Stack>
      <div className={shared.dialogActions}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          leftSection={<IconFolderOpen size={16} aria-hidden="true" />}
          loading={isBusy}
          disabled={!resources}
          onClick={() => void send()}
        >
          Choose its folder…
        </Button>
      </div>
    </Dialog>
  )
}

interface OptionsProps {
  readonly draft: ResourcesDraft
  readonly onChange: (draft: ResourcesDraft) => void
  readonly sweep: NewSweep
  readonly problems: ReturnType<typeof readResources>['problems']
}

function Options({ draft, onChange, sweep, problems }: OptionsProps): ReactNode {
  const memoryMb = useCellMemory(sweep)
  const problemOf = (key: keyof ResourcesDraft) => problems.find((one) => one.key === key)?.message
  const field = (key: keyof ResourcesDraft) => ({
    ...{ value: draft[key], error: problemOf(key) },
    onChange: ({ currentTarget }: ChangeEvent<HTMLInputElement>) => onChange({ ...draft, [key]: currentTarget.value }),
  })
  return (
    <section aria-labelledby="options-title">
      <h3 className={shared.legend} id="options-title">
        Options
      </h3>
      <Text size="sm" className="quiet" mb="sm">
        Of each cell, as Slurm is asked for it. Partition and account are typed behind submit.sh, such as
        --partition=long.
      </Text>
      <div className={css.varied}>
        <TextInput
          label="Time limit"
          description="Hours, minutes and seconds. A cell that needs longer goes on in another turn."
          placeholder={usualTime}
          {...field('time')}
        />
        <TextInput
          label="Memory, MB"
          description="By the memory plan of the largest cell and a quarter, unless you say otherwise."
          placeholder={memoryMb === null ? 'From the memory plan' : String(memoryMb)}
          inputMode="numeric"
          {...field('memory')}
        />
        <TextInput
          label="Seconds between copies"
          description="A cell copies its work into the folder this often; a machine that is lost costs at most that."
          placeholder={String(usualCopySeconds)}
          inputMode="decimal"
          {...field('copyEvery')}
        />
      </div>
    </section>
  )
}
