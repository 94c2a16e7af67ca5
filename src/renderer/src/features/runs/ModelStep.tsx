// New run, first step: which model learns, and whose eyes judge it.
import { Button, Radio } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { ModelView } from '../../../../shared/runView.ts'
import { attempt } from '../../attempt.ts'
import { shortenPath } from '../../format.ts'
import { useModelsChanged } from '../../queries/models.ts'
import shared from '../../ui/shared.module.css'
import { AddModel } from '../models/AddModel.tsx'
import css from './NewRunSteps.module.css'
import type { NewRun } from './newRunDraft.ts'

interface ModelStepProps {
  readonly newRun: NewRun
  readonly models: readonly ModelView[]
}

export function ModelStep({ newRun: { model, change }, models }: ModelStepProps): ReactNode {
  const modelsChanged = useModelsChanged()
  const [isAdding, setAdding] = useState(false)
  const mustAdd = models.length === 0
  return (
    <>
      {mustAdd && (
        <p className={css.lead}>
          A run needs a model that describes images, and the encoder that its image tower was taken from. Both stay
          where they are and are only read.
        </p>
      )}
      {models.length > 0 && (
        <Radio.Group
          label="Which model?"
          value={model === null ? null : String(model.modelId)}
          onChange={(value) => change({ modelId: Number(value) as ModelView['modelId'] })}
          classNames={{ label: shared.legend }}
        >
          <div className={css.cards}>
            {models.map((one) => (
              <Radio.Card key={one.modelId} value={String(one.modelId)} className={css.card} aria-label={one.name}>
                <Radio.Indicator />
                <span className={css.cardText}>
                  <strong>{one.name}</strong>
                  <span className="quiet" title={one.folder}>
                    {shortenPath(one.folder)}
                  </span>
                  <span className={css.cardNote}>{encoderWords(one)}</span>
                </span>
              </Radio.Card>
            ))}
          </div>
        </Radio.Group>
      )}
      {!mustAdd && (
        <Button
          variant="default"
          leftSection={<IconPlus size={16} />}
          aria-expanded={isAdding}
          className={css.start}
          onClick={() => setAdding(!isAdding)}
        >
          Add a model
        </Button>
      )}
      {(mustAdd || isAdding) && (
        <div className={css.box}>
          <AddModel
            onAdded={(added) => {
              attempt(modelsChanged)
              change({ modelId: added.modelId })
              setAdding(false)
            }}
          />
        </div>
      )}
    </>
  )
}

function encoderWords({ companionFolder, encoderVerified }: ModelView): string {
  if (companionFolder === null) return 'No encoder yet: nothing can judge its words. Add it again with one.'
  if (encoderVerified === true) return 'Encoder verified: its image tower is the model’s own.'
  if (encoderVerified === null) return 'Encoder not checked. Add the model again to have it checked.'
  return 'Another encoder than its own: the model is judged by other eyes.'
}
