// The models of the workspace by name.
import { IconAlertTriangle, IconCircleCheck, IconHelpCircle } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { ModelId } from '../../../../shared/domain.ts'
import type { ModelView } from '../../../../shared/runView.ts'
import { formatAgo, shortenPath } from '../../format.ts'
import css from './ModelList.module.css'

interface ModelListProps {
  readonly models: readonly ModelView[]
  readonly shownId: ModelId
  readonly onShow: (modelId: ModelId) => void
}

export function ModelList({ models, shownId, onShow }: ModelListProps): ReactNode {
  return (
    <nav className={css.list} aria-label="Models">
      {models.map((model) => (
        <button
          key={model.modelId}
          type="button"
          className={css.item}
          {...(model.modelId === shownId && { 'aria-current': 'true' as const })}
          onClick={() => onShow(model.modelId)}
        >
          <span className={css.name}>{model.name}</span>
          <span className={css.facts} title={model.folder}>
            {shortenPath(model.folder, 38)}
          </span>
          <span className={css.facts}>Added {formatAgo(model.addedAtMs)}</span>
          <EncoderMark model={model} />
        </button>
      ))}
    </nav>
  )
}

/** Whether its encoder is the one that the model sees with. */
export function EncoderMark({ model: { companionFolder, encoderVerified } }: { readonly model: ModelView }): ReactNode {
  const [state, words, Icon] =
    companionFolder === null
      ? (['none', 'No encoder', IconHelpCircle] as const)
      : encoderVerified === true
        ? (['verified', 'Encoder verified', IconCircleCheck] as const)
        : encoderVerified === false
          ? (['other', 'Another encoder', IconAlertTriangle] as const)
          : (['none', 'Encoder not checked', IconHelpCircle] as const)
  return (
    <span className={css.mark} data-state={state}>
      <Icon size={15} aria-hidden="true" />
      {words}
    </span>
  )
}
