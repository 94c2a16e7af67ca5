// Models: the folders that runs and questions take their models from; what each one is beside the list.
import { Button, Title } from '@mantine/core'
import { IconBox, IconPlus } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { ModelId } from '../../../shared/domain.ts'
import type { ModelView } from '../../../shared/runView.ts'
import { useAppState } from '../api.ts'
import { attempt } from '../attempt.ts'
import { AddModel } from '../features/models/AddModel.tsx'
import { ModelDetails } from '../features/models/ModelDetails.tsx'
import { ModelList } from '../features/models/ModelList.tsx'
import { navigate } from '../place.ts'
import { useModels, useModelsChanged } from '../queries/models.ts'
import type { RouteTo } from '../route.ts'
import { Dialog } from '../ui/Dialog.tsx'
import shared from '../ui/shared.module.css'
import css from './Models.module.css'

export function Models({ route }: { readonly route: RouteTo<'models'> }): ReactNode {
  const models = useModels()
  const modelsChanged = useModelsChanged()
  const { workspace } = useAppState()
  const [isAdding, setAdding] = useState(false)
  const [added, setAdded] = useState<{ modelId: ModelId; difference: string | null } | null>(null)
  const shown = models?.find(({ modelId }) => modelId === route.modelId) ?? newestOf(models ?? [])
  const isReading = workspace?.readOnlyBecause !== null
  const show = (modelId: ModelId): void => navigate({ page: 'models', modelId })
  return (
    <div className={css.models}>
      <header className={shared.pageHead}>
        <Title order={1} size="h3">
          Models
        </Title>
        {models && models.length > 0 && (
          <Button leftSection={<IconPlus size={18} />} disabled={isReading} onClick={() => setAdding(true)}>
            Add a model
          </Button>
        )}
      </header>
      {models?.length === 0 && <NoModels isReading={isReading} onAdd={() => setAdding(true)} />}
      {models && shown && (
        <div className={`${shared.columns} ${css.columns}`}>
          <ModelList models={models} shownId={shown.modelId} onShow={show} />
          <ModelDetails
            key={shown.modelId}
            model={shown}
            difference={added?.modelId === shown.modelId ? added.difference : null}
            onShowRun={(runId) => navigate({ page: 'runs', runId })}
          />
        </div>
      )}
      {isAdding && (
        <Dialog onClose={() => setAdding(false)} size={640} title="Add a model" closeOnClickOutside={false}>
          <AddModel
            offersDemo
            onAdded={({ modelId }, difference) =>
              attempt(async () => {
                await modelsChanged()
                setAdded({ modelId, difference })
                setAdding(false)
                show(modelId)
              })
            }
          />
        </Dialog>
      )}
    </div>
  )
}

function newestOf(models: readonly ModelView[]): ModelView | undefined {
  return models.toSorted((a, b) => b.addedAtMs - a.addedAtMs)[0]
}

function NoModels({ isReading, onAdd }: { readonly isReading: boolean; readonly onAdd: () => void }): ReactNode {
  return (
    <div className={shared.empty}>
      <IconBox size={44} stroke={1.4} aria-hidden="true" className={shared.emptyIcon} />
      <h2>Bring a model</h2>
      <p>
        A vision-language model is a Hugging Face folder on this computer, with the encoder that it sees with in a
        folder beside it. Both are only read; what a run learns is kept in the workspace.
      </p>
      <Button leftSection={<IconPlus size={18} />} disabled={isReading} onClick={onAdd}>
        Add a model
      </Button>
    </div>
  )
}
