// A new evaluation: what is measured, on which images, and of which policies.
import { ActionIcon, Button, NumberInput, Stack, Text, Textarea, TextInput } from '@mantine/core'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { PolicyChoice } from '../../../../shared/describe.ts'
import type { EvaluationId } from '../../../../shared/domain.ts'
import { type ErrorRecord, toErrorRecord } from '../../../../shared/errors.ts'
import { mostPolicies } from '../../../../shared/evaluations.ts'
import type { ModelView, RunView } from '../../../../shared/runView.ts'
import { request } from '../../api.ts'
import { useCheckpoints } from '../../queries/describe.ts'
import { useTags } from '../../queries/images.ts'
import { useRunDetail } from '../../queries/runs.ts'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorAlert } from '../../ui/ErrorAlert.tsx'
import shared from '../../ui/shared.module.css'
import { useGridQuery } from '../images/gridQuery.ts'
import { imageOptions } from './imageChoice.ts'
import { MeasureFields } from './MeasureFields.tsx'
import { emptyMeasure, type MeasureDraft, measureOf } from './measures.ts'
import css from './NewEvaluation.module.css'
import { PolicyFields } from './PolicyFields.tsx'
import { anotherPolicy, hasDoubles, usualPolicies } from './policies.ts'

interface NewEvaluationProps {
  readonly runs: readonly RunView[]
  readonly models: readonly ModelView[]
  /** Whose checkpoints are proposed. */
  readonly run: RunView | undefined
  readonly onClose: () => void
  readonly onMade: (evaluationId: EvaluationId) => void
}

export function NewEvaluation({ runs, models, run, onClose, onMade }: NewEvaluationProps): ReactNode {
  const checkpoints = useCheckpoints(run?.runId ?? null) ?? []
  const strength = useRunDetail(run?.runId ?? null)?.config?.evaluation.strength ?? 1
  const images = imageOptions(useTags(), useGridQuery())
  const [chosen, setChosen] = useState<readonly PolicyChoice[] | null>(null)
  const [draft, setDraft] = useState<MeasureDraft>(emptyMeasure)
  const [name, setName] = useState('')
  const [prompt, setPrompt] = useState('')
  const [maxNewTokens, setMaxNewTokens] = useState<number | null>(null)
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<ErrorRecord | null>(null)
  const policies = chosen ?? usualPolicies(run, checkpoints, strength, models)
  const measure = measureOf(draft)
  const more = policies.length < mostPolicies ? anotherPolicy(policies, checkpoints, models) : undefined
  const missing =
    policies.length === 0
      ? 'Add a model on the page Runs first.'
      : hasDoubles(policies)
        ? 'Two of the models are the same; choose another checkpoint or strength.'
        : measure === null
          ? 'Choose the files that it needs.'
          : null

  const start = async (): Promise<void> => {
    if (measure === null) return
    setBusy(true)
    setError(null)
    try {
      const asked = prompt.trim() === '' ? null : prompt
      const made = await request('evaluations.create', {
        ...{ name, policies: [...policies], measure, prompt: asked, maxNewTokens },
      })
      onMade(made.evaluationId)
    } catch (thrown) {
      setError(toErrorRecord(thrown))
      setBusy(false)
    }
  }
  return (
    <Dialog onClose={onClose} centered size="lg" title="New evaluation">
      <Stack gap="lg">
        <MeasureFields draft={draft} onChange={setDraft} images={images} />
        <section aria-labelledby="policies-title" className={css.policies}>
          <h3 id="policies-title" className={shared.legend}>
            Which models
          </h3>
          <Text size="sm" className="quiet">
            The first one is what the others are compared with.
          </Text>
          {policies.map((policy, i) => (
            <PolicyFields
              // biome-ignore lint/suspicious/noArrayIndexKey: a policy is its place until the form is sent
              key={i}
              label={`Model ${i + 1}`}
              runs={runs}
              models={models}
              value={policy}
              onChange={(next) => setChosen(policies.with(i, next))}
            >
              {policies.length > 1 && (
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={`Take model ${i + 1} away`}
                  onClick={() => setChosen(policies.toSpliced(i, 1))}
                >
                  <IconTrash size={16} />
                </ActionIcon>
              )}
            </PolicyFields>
          ))}
          {more && (
            <Button
              size="xs"
              variant="default"
              className={css.add}
              leftSection={<IconPlus size={14} aria-hidden="true" />}
              onClick={() => setChosen([...policies, more])}
            >
              Another model
            </Button>
          )}
        </section>
        <details className={shared.fold}>
          <summary>Name, question and length</summary>
          <Stack gap="sm" mt="xs">
            <TextInput
              label="Name"
              description="What it measures when left empty."
              maxLength={120}
              value={name}
              onChange={({ currentTarget }) => setName(currentTarget.value)}
            />
            <Textarea
              label="Question"
              description="Asked where the measure has no questions of its own; the question of the first model’s run when left empty."
              autosize
              maxLength={2000}
              value={prompt}
              onChange={({ currentTarget }) => setPrompt(currentTarget.value)}
            />
            <NumberInput
              label="Tokens of a response"
              description="At most, for all models alike; the limit of the first model’s run when left empty."
              min={1}
              max={2048}
              allowDecimal={false}
              value={maxNewTokens ?? ''}
              onChange={(value) => setMaxNewTokens(typeof value === 'number' ? value : null)}
            />
          </Stack>
        </details>
        {error && <ErrorAlert error={error} />}
      </Stack>
      <div className={shared.dialogActions}>
        {missing && (
          <p className={css.missing} role="status">
            {missing}
          </p>
        )}
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button loading={isBusy} disabled={missing !== null} onClick={() => void start()}>
          Start
        </Button>
      </div>
    </Dialog>
  )
}
