// The models of the workspace by name.
import { IconAlertTriangle, IconCircleCheck, IconHelpCircle } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { ModelId } from '../../../../shared/domain.ts'
import type { ModelView } from '../../../../shared/runView.ts'
import { formatAgo, shortenPath } from '../../format.ts'
import { Facts, Item, ItemList, StateMark } from '../../ui/ItemList.tsx'

interface ModelListProps {
  readonly models: readonly ModelView[]
  readonly shownId: ModelId
  readonly onShow: (modelId: ModelId) => void
}

export function ModelList({ models, shownId, onShow }: ModelListProps): ReactNode {
  return (
    <ItemList label="Models" shownId={shownId}>
      {models.map((model) => (
        <Item
          key={model.modelId}
          name={model.name}
          mark={null}
          isShown={model.modelId === shownId}
          onShow={() => onShow(model.modelId)}
        >
          <Facts title={model.folder}>{shortenPath(model.folder, 38)}</Facts>
          <Facts>Added {formatAgo(model.addedAtMs)}</Facts>
          <EncoderMark model={model} />
        </Item>
      ))}
    </ItemList>
  )
}

/** Whether its encoder is the one that the model sees with. */
export function EncoderMark({ model: { companionFolder, encoderVerified } }: { readonly model: ModelView }): ReactNode {
  const [tone, words, icon] =
    companionFolder === null
      ? (['waits', 'No encoder', IconHelpCircle] as const)
      : encoderVerified === true
        ? (['good', 'Encoder verified', IconCircleCheck] as const)
        : encoderVerified === false
          ? (['doubtful', 'Another encoder', IconAlertTriangle] as const)
          : (['waits', 'Encoder not checked', IconHelpCircle] as const)
  return (
    <StateMark icon={icon} tone={tone}>
      {words}
    </StateMark>
  )
}
