// Says where the folders of a model are now; the weights must be the very same.
import { Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { ModelView } from '../../../../shared/runView.ts'
import { request } from '../../api.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { ModelFoldersForm } from './ModelFoldersForm.tsx'

interface RelinkDialogProps {
  readonly model: ModelView
  readonly onClose: () => void
  readonly onRelinked: () => Promise<void>
}

export function RelinkDialog({ model, onClose, onRelinked }: RelinkDialogProps): ReactNode {
  const { modelId, folder, companionFolder } = model
  return (
    <Dialog onClose={onClose} size={640} title={`Relink “${model.name}”`} closeOnClickOutside={false}>
      <Text size="sm" className="quiet" mb="md">
        Where its folders are now. The weights must be the very same ones, so that its runs keep their meaning.
      </Text>
      <ModelFoldersForm
        initial={{ folder, companionFolder: companionFolder ?? '' }}
        submitLabel="Check and relink"
        onSubmit={async (folders) => {
          await request('models.relink', { modelId, ...folders })
          await onRelinked()
        }}
      />
    </Dialog>
  )
}
