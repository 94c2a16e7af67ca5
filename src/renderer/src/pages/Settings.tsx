// Settings: the device and threads of all that models do, what the app keeps to be faster, how it looks, and what it sends (nothing).
import { Alert, Button, NumberInput, SegmentedControl, Select, Text, Title } from '@mantine/core'
import { IconFolderOpen, IconInfoCircle, IconShieldCheck } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { DeviceName } from '../../../shared/hardware.ts'
import { type Appearance, type SettingsView, threadsSchema } from '../../../shared/settings.ts'
import { request, useAppState } from '../api.ts'
import { attempt } from '../attempt.ts'
import { deviceLabels } from '../features/workspace/HardwareCard.tsx'
import { formatBytes, formatPlural } from '../format.ts'
import { useCacheSize, useSetSettings, useSettings } from '../queries/everywhere.ts'
import shared from '../ui/shared.module.css'
import css from './Settings.module.css'

export function Settings(): ReactNode {
  const settings = useSettings()
  return (
    <div className={css.page}>
      <header className={shared.pageHead}>
        <Title order={1} size="h3">
          Settings
        </Title>
      </header>
      {settings && (
        <div className={css.sections}>
          <Work settings={settings} />
          <Look />
          <Cache folder={settings.cacheFolder} />
          <Section title="Privacy">
            <p className={css.privacy}>
              <IconShieldCheck size={20} aria-hidden="true" />
              <span>{settings.privacy}</span>
            </p>
          </Section>
        </div>
      )}
    </div>
  )
}

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <section aria-label={title} className={css.section}>
      <Title order={2} size="h5">
        {title}
      </Title>
      {children}
    </section>
  )
}

const bestDevice = 'best'

/** Where runs are worked out: device and threads. */
function Work({ settings }: { readonly settings: SettingsView }): ReactNode {
  const { chosen, devices, deviceInUse, deviceNote, cores } = settings
  const set = useSetSettings()
  const [note, setNote] = useState<string | null>(null)
  const change = (changes: Parameters<typeof set>[0]): void => attempt(async () => setNote(await set(changes)))
  // A device that was chosen and is not right now stays in the list, so that the field says what was chosen.
  const offered = chosen.device === null || devices.includes(chosen.device) ? devices : [...devices, chosen.device]
  const inUse = deviceInUse === null ? 'The devices are being measured.' : `In use: ${deviceLabels[deviceInUse]}.`
  return (
    <Section title="Computing">
      <Select
        label="Device"
        description={inUse}
        allowDeselect={false}
        data={[
          { value: bestDevice, label: 'The fastest one that is right' },
          ...offered.map((device) => ({ value: device, label: deviceLabels[device] })),
        ]}
        value={chosen.device ?? bestDevice}
        onChange={(value) => change({ device: value === bestDevice ? null : (value as DeviceName) })}
      />
      {deviceNote !== null && (
        <Alert color="yellow" variant="light" icon={<IconInfoCircle size={18} />} className={css.warning}>
          {deviceNote}
        </Alert>
      )}
      <Threads key={String(chosen.threads)} threads={chosen.threads} cores={cores} onChange={change} />
      {note !== null && (
        <Alert role="status" variant="light" icon={<IconInfoCircle size={18} />}>
          {note}
        </Alert>
      )}
    </Section>
  )
}

interface ThreadsProps {
  readonly threads: number | null
  readonly cores: number
  readonly onChange: (changes: { threads: number | null }) => void
}

/** Taken when the field is left or Enter is pressed; an empty field is the app's own choice. */
function Threads({ threads, cores, onChange }: ThreadsProps): ReactNode {
  const [draft, setDraft] = useState<number | string>(threads ?? '')
  const wanted = draft === '' ? null : threadsSchema.safeParse(Number(draft))
  const error = wanted !== null && !wanted.success ? 'A whole number from 1 to 1,024.' : null
  const take = (): void => {
    if (error !== null) return
    const next = wanted?.data ?? null
    if (next !== threads) onChange({ threads: next })
  }
  return (
    <NumberInput
      label="Threads (empty for all)"
      description={`For runs, checks, questions and evaluations. This machine has ${formatPlural(cores, 'core')}; more threads than that only cost time.`}
      placeholder={String(cores)}
      allowDecimal={false}
      allowNegative={false}
      value={draft}
      error={error}
      onChange={setDraft}
      onBlur={take}
      onKeyDown={({ key }) => key === 'Enter' && take()}
    />
  )
}

const appearances: readonly { value: Appearance; label: string }[] = [
  { value: 'system', label: 'As the system' },
  { value: 'light', label: 'Light' },
  { value: 'dark', label: 'Dark' },
]

function Look(): ReactNode {
  const { appearance } = useAppState()
  const set = useSetSettings()
  return (
    <Section title="Appearance">
      <SegmentedControl
        aria-label="Theme"
        className={css.narrow}
        value={appearance}
        onChange={(value) => attempt(() => set({ appearance: value as Appearance }))}
        data={[...appearances]}
      />
    </Section>
  )
}

function Cache({ folder }: { readonly folder: string }): ReactNode {
  const { sizeBytes, again } = useCacheSize()
  const [freedBytes, setFreed] = useState<number | null>(null)
  const [isBusy, setBusy] = useState(false)
  const clear = (): void => {
    setBusy(true)
    attempt(async () => {
      try {
        setFreed((await request('settings.clearCache', {})).freedBytes)
        await again()
      } finally {
        setBusy(false)
      }
    })
  }
  return (
    <Section title="Cache">
      <Text size="sm">
        {sizeBytes === null ? 'Its size is being looked up.' : `${formatBytes(sizeBytes)} are kept only to be faster.`}{' '}
        Emptying it loses nothing: settings, workspaces and logs stay. What a large model was made ready with is made
        again by its next run, and stays while it is in use.
      </Text>
      <p className={`path quiet ${css.folder}`}>{folder}</p>
      <div className={css.actions}>
        <Button size="xs" variant="default" loading={isBusy} onClick={clear}>
          Empty the cache
        </Button>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconFolderOpen size={15} />}
          onClick={() => attempt(() => request('settings.showCache', {}))}
        >
          Show the folder
        </Button>
        <span role="status" className={css.freed}>
          {freedBytes !== null && `${formatBytes(freedBytes)} freed.`}
        </span>
      </div>
    </Section>
  )
}
