// What leaves the app of a run: the adapter of a checkpoint at a chosen strength, on request merged into the model.
import { Button, Checkbox, Code, Slider, Text } from '@mantine/core'
import { IconCheck, IconFileExport, IconFolderOpen } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { CheckpointView } from '../../../../shared/describe.ts'
import { type ErrorRecord, toErrorRecord } from '../../../../shared/errors.ts'
import type { RunDetail, RunView } from '../../../../shared/runView.ts'
import { request } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorAlert } from '../../ui/ErrorAlert.tsx'
import shared from '../../ui/shared.module.css'
import css from './ExportRun.module.css'

interface ExportRunProps {
  readonly run: RunView
  readonly detail: RunDetail
  readonly checkpoint: CheckpointView
}

/** Opens the dialog; of the model as it came, and without its weights, there is nothing to export. */
export function ExportRun({ run, detail, checkpoint: { step, hasWeights } }: ExportRunProps): ReactNode {
  const [isOpen, setOpen] = useState(false)
  if (step === 0 || !hasWeights) return null
  return (
    <>
      <Button size="xs" variant="default" leftSection={<IconFileExport size={15} />} onClick={() => setOpen(true)}>
        Export…
      </Button>
      {isOpen && (
        <ExportDialog
          run={run}
          step={step}
          preset={detail.config?.evaluation.strength ?? 1}
          onClose={() => setOpen(false)}
        />
      )}
    </>
  )
}

interface ExportDialogProps {
  readonly run: RunView
  readonly step: number
  /** Strength that the run's own looks had. */
  readonly preset: number
  readonly onClose: () => void
}

function ExportDialog({ run, step, preset, onClose }: ExportDialogProps): ReactNode {
  const [strength, setStrength] = useState(preset)
  const [merged, setMerged] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const [written, setWritten] = useState<string | null>(null)
  const [error, setError] = useState<ErrorRecord | null>(null)
  const start = async (): Promise<void> => {
    setBusy(true)
    setError(null)
    try {
      const result = await request('runs.export', { runId: run.runId, step, strength, merged })
      if (result) setWritten(result.folder)
    } catch (thrown) {
      setError(toErrorRecord(thrown))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog onClose={onClose} centered title={`Export step ${step} of “${run.name}”`}>
      <Text size="sm">
        Writes a PEFT adapter, as Python’s peft loads it, and <Code>run.json</Code> with all that is needed to repeat
        the run.
      </Text>
      <Text size="sm" fw={600} mt="md" id="export-strength">
        Strength of the adapter: {strength.toFixed(2)}
      </Text>
      <Text size="xs" className="quiet">
        1 is as trained. Less repairs less and keeps more of what the model said before.
      </Text>
      <Slider
        mt="xs"
        mb="xl"
        min={0}
        max={1.5}
        step={0.05}
        label={null}
        marks={[0, 0.5, 1, 1.5].map((value) => ({ value, label: `${value}` }))}
        value={strength}
        onChange={setStrength}
        thumbProps={{ 'aria-labelledby': 'export-strength' }}
      />
      <Checkbox
        checked={merged}
        onChange={({ currentTarget }) => setMerged(currentTarget.checked)}
        label="Also the whole model with the adapter merged in"
        description="As large as the model itself; opens wherever the model does."
      />
      {error && <ErrorAlert mt="md" error={error} />}
      {written !== null && (
        <div role="status" className={css.written}>
          <IconCheck size={18} aria-hidden="true" />
          <div>
            <strong>Written</strong>
            <div className="path">{written}</div>
          </div>
        </div>
      )}
      <div className={shared.dialogActions}>
        <Button variant="default" onClick={onClose}>
          {written === null ? 'Cancel' : 'Close'}
        </Button>
        {written !== null && (
          <Button variant="default" loading={isBusy} onClick={() => void start()}>
            Export again…
          </Button>
        )}
        {written === null ? (
          <Button loading={isBusy} onClick={() => void start()} data-autofocus>
            Choose where to…
          </Button>
        ) : (
          <Button
            leftSection={<IconFolderOpen size={18} />}
            onClick={() => attempt(() => request('runs.showExport', { folder: written }))}
          >
            Show the folder
          </Button>
        )}
      </div>
    </Dialog>
  )
}
