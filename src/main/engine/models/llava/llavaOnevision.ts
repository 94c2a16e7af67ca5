// LLaVA-OneVision (Li et al. 2024): LLaVA-NeXT with more sizes of images, whose patches are shrunk where they would be more than
// those of so many tiles. Videos, which its models see too, are never asked about here.
import type { Architecture } from '../architecture.ts'
import { llavaNext } from './llavaNext.ts'
import type { LlavaNextConfig } from './llavaNextConfig.ts'
import { readLlavaOnevisionConfig } from './llavaOnevisionConfig.ts'

export const llavaOnevision: Architecture<LlavaNextConfig> = {
  ...llavaNext,
  title: 'LLaVA-OneVision',
  architectures: ['LlavaOnevisionForConditionalGeneration'],
  modelTypes: ['llava_onevision'],
  readConfig: readLlavaOnevisionConfig,
}
