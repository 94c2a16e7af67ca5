// What the inspector will show of an image, asked for while a person is about to open it: the answers then wait for the page,
// and not the page for one answer after the other.
import { type QueryClient, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { imageUrl } from '../../../../shared/contract.ts'
import type { CheckpointId, ImageFacts, RunId } from '../../../../shared/domain.ts'
import { useWorkspaceKey } from '../../api.ts'
import { aheadOfNeed } from '../../queries/client.ts'
import { checkpointsOptions, responseOptions, responsesOptions } from '../../queries/describe.ts'
import { keys } from '../../queries/keys.ts'
import { modelsOptions } from '../../queries/models.ts'
import { runDetailOptions, runsOptions } from '../../queries/runs.ts'
import { alignedCheckpoint, usualRun } from './questions.ts'

/** What a person will compare; null for the usual ones. */
export interface Compared {
  readonly runId: RunId | null
  readonly left?: CheckpointId | null
  readonly right: CheckpointId | null
}

/** Passed over by arrow keys, an image is not asked about. */
const settlesMs = 60

/** Asks for what the inspector shows of these images, the first of them first, once they stay the ones. */
export function useAskAhead(images: readonly ImageFacts[], compared: Compared): void {
  const client = useQueryClient()
  const w = useWorkspaceKey()
  const text = JSON.stringify([images, compared])
  useEffect(() => {
    if (w === null) return
    const [facts, of] = JSON.parse(text) as [ImageFacts[], Compared]
    const ask = async (): Promise<void> => {
      for (const image of facts) await askAhead(client, w, image, of)
    }
    // What fails here is told when the image is opened.
    const timer = setTimeout(() => void ask().catch(() => undefined), settlesMs)
    return () => clearTimeout(timer)
  }, [client, w, text])
}

/** The grid knows an image as the inspector will: its name need not be waited for. */
export function knowImage(client: QueryClient, w: string | null, image: ImageFacts): void {
  const { imageId, name, path, sizeBytes, width, height, format, sha256, addedAtMs } = image
  const facts = { imageId, name, path, sizeBytes, width, height, format, sha256, addedAtMs }
  client.setQueryData(keys.image(w, imageId), (known: unknown) => known ?? { image: facts })
}

/** Pictures that are loaded: the browser keeps them for the page while somebody has them. */
const loaded: HTMLImageElement[] = []
const mostLoaded = 4

function loadPicture(address: string): void {
  if (loaded.some(({ src }) => src === address)) return
  const picture = new Image()
  picture.src = address
  loaded.push(picture)
  if (loaded.length > mostLoaded) loaded.shift()
}

async function askAhead(client: QueryClient, w: string, image: ImageFacts, compared: Compared): Promise<void> {
  knowImage(client, w, image)
  loadPicture(imageUrl.full(w, image.imageId))
  const meta = aheadOfNeed
  const [runs, { responses }] = await Promise.all([
    client.fetchQuery({ ...runsOptions(w), meta }),
    client.fetchQuery({ ...responsesOptions(w, image.imageId), meta }),
    client.fetchQuery({ ...modelsOptions(w), meta }),
  ])
  const run = runs.find(({ runId }) => runId === compared.runId) ?? usualRun(runs)
  if (!run) return
  const [{ checkpoints }] = await Promise.all([
    client.fetchQuery({ ...checkpointsOptions(w, run.runId), meta }),
    client.fetchQuery({ ...runDetailOptions(w, run.runId), meta }),
  ])
  const byId = (id: CheckpointId | null | undefined) => checkpoints.find(({ checkpointId }) => checkpointId === id)
  const steps = [byId(compared.left)?.step ?? 0, (byId(compared.right) ?? alignedCheckpoint(checkpoints))?.step]
  // What a run stored of an image is one response a checkpoint; others were asked by hand and may be many.
  const shown = responses.filter(
    ({ policy, purpose }) =>
      purpose === 'evaluation' && policy.from === 'run' && policy.runId === run.runId && steps.includes(policy.step),
  )
  await Promise.all(shown.map(({ rolloutId }) => client.fetchQuery({ ...responseOptions(w, rolloutId), meta })))
}
