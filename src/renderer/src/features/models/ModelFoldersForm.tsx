// The two folders of a model, asked for in one way wherever they are: to add it, and after they have moved. Folders that
// were taken for one another are swapped by a click.
import { Button } from '@mantine/core'
import { IconArrowsUpDown } from '@tabler/icons-react'
import { type KeyboardEvent, type ReactNode, useState } from 'react'
import { type ErrorRecord, toErrorRecord } from '../../../../shared/errors.ts'
import { request } from '../../api.ts'
import { ErrorAlert } from '../../ui/ErrorAlert.tsx'
import { PathField } from '../../ui/PathField.tsx'
import css from './AddModel.module.css'

export interface TwoFolders {
  readonly folder: string
  readonly companionFolder: string
}

interface ModelFoldersFormProps {
  readonly initial?: TwoFolders
  readonly submitLabel: string
  readonly isOff?: boolean
  /** What it throws is said below the folders, which it is about. */
  readonly onSubmit: (folders: TwoFolders) => Promise<void>
}

export function ModelFoldersForm({ initial, submitLabel, isOff = false, onSubmit }: ModelFoldersFormProps): ReactNode {
  const [folders, setFolders] = useState<TwoFolders>(initial ?? { folder: '', companionFolder: '' })
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<ErrorRecord | null>(null)
  const { folder, companionFolder } = folders

  const change = (part: Partial<TwoFolders>): void => {
    setFolders({ ...folders, ...part })
    setError(null)
  }
  const submit = async (chosen: TwoFolders): Promise<void> => {
    setFolders(chosen)
    setBusy(true)
    setError(null)
    try {
      await onSubmit(chosen)
    } catch (thrown) {
      setError(toErrorRecord(thrown))
    } finally {
      setBusy(false)
    }
  }
  // Not a form of its own: it stands in that of a new run too, and Enter in a field must not start that run.
  const onEnter = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || !(event.target instanceof HTMLInputElement)) return
    event.preventDefault()
    if (canSubmit) void submit(folders)
  }
  const canSubmit = !isOff && !isBusy && folder !== '' && companionFolder !== ''

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only what its fields leave of a key
    <div className={css.addModel} onKeyDown={onEnter}>
      <FolderField
        label="Folder of the model"
        description="A Hugging Face folder: config.json, tokenizer.json, safetensors. It is only read."
        purpose="model"
        value={folder}
        onChange={(next) => change({ folder: next })}
      />
      <FolderField
        label="Folder of its encoder"
        description="The CLIP or SigLIP model that its image tower was taken from; its text tower judges the words."
        purpose="encoder"
        value={companionFolder}
        onChange={(next) => change({ companionFolder: next })}
      />
      {error && (
        <ErrorAlert error={error}>
          {error.code === 'model.swapped' && (
            <div className={css.swap}>
              <Button
                size="xs"
                leftSection={<IconArrowsUpDown size={15} />}
                onClick={() => void submit({ folder: companionFolder, companionFolder: folder })}
              >
                Swap the two
              </Button>
            </div>
          )}
        </ErrorAlert>
      )}
      <Button
        variant="default"
        className={css.addModelButton}
        loading={isBusy}
        disabled={!canSubmit && !isBusy}
        onClick={() => void submit(folders)}
      >
        {submitLabel}
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

function FolderField({ purpose, label, ...field }: FolderFieldProps): ReactNode {
  const pick = async (): Promise<string | null> => (await request('models.pickFolder', { purpose }))?.folder ?? null
  return <PathField {...field} label={label} chooseLabel={`Choose the ${label.toLowerCase()}`} pick={pick} />
}
