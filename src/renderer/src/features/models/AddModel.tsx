// Adds a model to the workspace: its folder, the folder of its encoder, and what the engine found in them; or the model
// that comes with the app.
import { Button } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { type ErrorRecord, toErrorRecord } from '../../../../shared/errors.ts'
import type { ModelView } from '../../../../shared/runView.ts'
import { request, useAppState } from '../../api.ts'
import { ErrorAlert } from '../../ui/ErrorAlert.tsx'
import css from './AddModel.module.css'
import { ModelFoldersForm } from './ModelFoldersForm.tsx'

interface AddModelProps {
  /** Also outside the demo, where its model has other images to look at than it knows. */
  readonly offersDemo?: boolean
  /** @param difference where the two image towers part, in a few words; null when they are the same */
  readonly onAdded: (model: ModelView, difference: string | null) => void
}

export function AddModel({ offersDemo = false, onAdded }: AddModelProps): ReactNode {
  const { workspace } = useAppState()
  const [isAddingDemo, setAddingDemo] = useState(false)
  const [error, setError] = useState<ErrorRecord | null>(null)

  /** What goes wrong is said here and not in a corner: it is about the button just pressed. */
  const addDemo = async (): Promise<void> => {
    setAddingDemo(true)
    setError(null)
    try {
      onAdded(await request('models.addDemo', {}), null)
    } catch (thrown) {
      setError(toErrorRecord(thrown))
    } finally {
      setAddingDemo(false)
    }
  }

  return (
    <div className={css.addModel}>
      {(workspace?.isDemo || offersDemo) && (
        <div className={css.addDemo}>
          <span>
            {workspace?.isDemo
              ? 'The demo comes with a small model that was trained on scenes like these.'
              : 'The app comes with a small model that was trained on drawn scenes.'}
          </span>
          <Button loading={isAddingDemo} onClick={() => void addDemo()}>
            Use the demo model
          </Button>
        </div>
      )}
      {error && <ErrorAlert error={error} />}
      <ModelFoldersForm
        submitLabel="Check and add"
        isOff={isAddingDemo}
        onSubmit={async (folders) => {
          const { model, difference } = await request('models.add', { ...folders })
          onAdded(model, difference)
        }}
      />
    </div>
  )
}
