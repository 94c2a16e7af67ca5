// Adds a model to the workspace: its folder, the folder of its encoder, and what the engine found in them.
import { Button, TextInput } from '@mantine/core'
import { IconFolderOpen } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import { type ErrorRecord, toErrorRecord } from '../../../../shared/errors.ts'
import type { ModelView } from '../../../../shared/runView.ts'
import { request, useAppState } from '../../api.ts'
import { attempt } from '../../attempt.ts'
import { ErrorAlert } from '../../ui/ErrorAlert.tsx'
import css from './AddModel.module.css'

export function AddModel({ onAdded }: { readonly onAdded: (model: ModelView) => void }): ReactNode {
  const { workspace } = useAppState()
  const [folder, setFolder] = useState('')
  const [companionFolder, setCompanionFolder] = useState('')
  const [busy, setBusy] = useState<'own' | 'demo' | null>(null)
  const [error, setError] = useState<ErrorRecord | null>(null)

  /** What goes wrong is said here and not in a corner: it is about the folders just chosen. */
  const add = async (kind: 'own' | 'demo', work: () => Promise<ModelView>): Promise<void> => {
    setBusy(kind)
    setError(null)
    try {
      onAdded(await work())
    } catch (thrown) {
      setError(toErrorRecord(thrown))
    } finally {
      setBusy(null)
    }
  }
  const addOwn = async (): Promise<ModelView> => (await request('models.add', { folder, companionFolder })).model

  return (
    <div className={css.addModel}>
      {workspace?.isDemo && (
        <div className={css.addDemo}>
          <span>The demo comes with a small model that was trained on scenes like these.</span>
          <Button
            loading={busy === 'demo'}
            disabled={busy !== null}
            onClick={() => void add('demo', () => request('models.addDemo', {}))}
          >
            Use the demo model
          </Button>
        </div>
      )}
      <FolderField
        label="Folder of the model"
        description="A Hugging Face folder: config.json, tokenizer.json, safetensors. It is only read."
        purpose="model"
        value={folder}
        onChange={setFolder}
      />
      <FolderField
        label="Folder of its encoder"
        description="The CLIP or SigLIP model that its image tower was taken from; its text tower judges the words."
        purpose="encoder"
        value={companionFolder}
        onChange={setCompanionFolder}
      />
      {error && <ErrorAlert error={error} />}
      <Button
        variant="default"
        className={css.addModelButton}
        loading={busy === 'own'}
        disabled={busy !== null || folder === '' || companionFolder === ''}
        onClick={() => void add('own', addOwn)}
      >
        Check and add
      </Button>
    </div>
  )
}

interface FolderFieldProps {
  readonly label: string
  readonly description: string
  readonly purpose: 'model' | 'encoder'
  readonly value: string
  readonly onChange: (folder: string) => void
}

function FolderField({ label, description, purpose, value, onChange }: FolderFieldProps): ReactNode {
  const pick = (): void =>
    attempt(async () => {
      const picked = await request('models.pickFolder', { purpose })
      if (picked) onChange(picked.folder)
    })
  return (
    <div className={css.folderField}>
      <TextInput
        label={label}
        description={description}
        value={value}
        onChange={({ currentTarget }) => onChange(currentTarget.value)}
      />
      <Button
        variant="default"
        leftSection={<IconFolderOpen size={16} />}
        aria-label={`Choose the ${label.toLowerCase()}`}
        onClick={pick}
      >
        Choose…
      </Button>
    </div>
  )
}
