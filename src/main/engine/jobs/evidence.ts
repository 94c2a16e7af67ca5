// Where an image shows a word, as an encoder's patches see it: the encoder stays open between words, and so do the patches
// of the last image. The encoder sees the whole picture by its own image processor, also where the model sees it in tiles.
// Before it stands what a person points at, after it run/verifier.ts.
import type { EncoderChoice, Evidence, Region } from '../../../shared/describe.ts'
import type { DeviceName } from '../../../shared/hardware.ts'
import { runConfigSchema } from '../../../shared/runConfig.ts'
import { missingImage, missingModel, noCompanion } from '../../../shared/runErrors.ts'
import type { ReadableDb } from '../../db/connection.ts'
import { imageById } from '../../db/images.ts'
import { modelById } from '../../db/models.ts'
import { openImageProcessor } from '../image/imageProcessor.ts'
import { pictureKey, type RunImage } from '../run/models.ts'
import { Verifier } from '../run/verifier.ts'
import { KeptOpen } from './keptOpen.ts'
import { openStoredRun } from './storedRun.ts'

export interface EvidenceRequest {
  readonly imageId: number
  readonly word: string
  readonly encoder: EncoderChoice
  readonly region: Region | null
  readonly device: DeviceName
  readonly threads?: number
}

/** Encoders that are open for evidence: one at most. */
export class WarmEncoder {
  readonly #kept = new KeptOpen<Verifier>()

  /**
   * @throws StudioError `image.not-here`, `run.missing`, `model.missing`, `run.no-companion`, and what reading the image and
   *   opening the encoder throws
   */
  async evidence(db: ReadableDb, { imageId, word, encoder, region, ...session }: EvidenceRequest): Promise<Evidence> {
    const found = imageById(db, imageId)
    if (!found) throw missingImage(imageId)
    const image: RunImage = region ? { ...found, covered: region } : found
    const { folder, promptTemplate } = encoderOf(db, encoder)
    const key = JSON.stringify([folder, promptTemplate, session])
    const open = (): Promise<Verifier> => Verifier.open(folder, { ...session, promptTemplate })
    return await this.#kept.use(key, open, async (verifier) => {
      const processor = await openImageProcessor(folder)
      const { sha256, path, covered } = image
      const pixels = () => processor.pixelsOfFile(path, { sha256, covered })
      const verified = { key: pictureKey(image), pixels: async () => (await pixels()).values }
      const values = await verifier.evidence(verified, word)
      const score = await verifier.score(verified, word)
      const frame = processor.frameOf(found)
      return { side: Math.sqrt(values.length), values: [...values], score, frame }
    })
  }

  /** Releases what is open, once the use under way is over. */
  release(): Promise<void> {
    return this.#kept.release()
  }
}

function encoderOf(db: ReadableDb, encoder: EncoderChoice): { folder: string; promptTemplate: string } {
  if (encoder.from === 'run') {
    const { config, folders } = openStoredRun(db, encoder.runId)
    return { folder: folders.companion, promptTemplate: config.reward.promptTemplate }
  }
  const model = modelById(db, encoder.modelId)
  if (!model) throw missingModel(encoder.modelId)
  if (model.companionFolder === null) throw noCompanion(model.folder)
  return { folder: model.companionFolder, promptTemplate: runConfigSchema.parse({}).reward.promptTemplate }
}
