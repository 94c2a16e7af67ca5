// The README.md of the demo model: what it is, how it was made, how good it is. train.ts gives the figures.
import type { CaptionQuality } from './captionQuality.ts'
import type { CompanionSettings } from './trainCompanion.ts'
import type { VlmSettings } from './trainVlm.ts'
import type { VerifierQuality } from './verifierQuality.ts'

export interface TrainingRecord {
  readonly machine: string
  readonly towersS: number
  readonly languageModelS: number
  readonly companion: Omit<CompanionSettings, 'threads'>
  readonly vlm: Omit<VlmSettings, 'threads'>
  readonly verifier: VerifierQuality
  readonly greedy: CaptionQuality
  readonly sampled: CaptionQuality
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`
const minutes = (seconds: number) => `${(seconds / 60).toFixed(1)} minutes`

export function modelCard({ companion, vlm, verifier, greedy, sampled, ...record }: TrainingRecord): string {
  const row = (name: string, read: (quality: CaptionQuality) => string) =>
    `| ${name} | ${read(greedy)} | ${read(sampled)} |`
  return `---
license: apache-2.0
language: en
pipeline_tag: image-text-to-text
---
# FiSAO Studio's demo model

A vision-language model of the LLaVA layout, small enough to ship and to align in minutes, that describes drawn scenes
of 48 kinds of object in 8 kinds of place, and hallucinates as large models do: where it names an object, it names what
usually goes with it although that is not there. It knows nothing else. \`encoder/\` holds its companion, the CLIP model whose image tower it
sees with.

It was trained from scratch by FiSAO Studio's own engine (\`npm run demo:train\`), on scenes that \`tools/scenes\` draws
from seeds: no photograph and no text of anybody went in. The art of the objects is named in \`resources/NOTICE\`.

## How it was made

1. **Companion**: ${companion.steps} steps of ${companion.batch} scenes with their captions, AdamW at ${companion.peakRate},
   seed ${companion.seed}: InfoNCE between images and captions, and a sigmoid loss between the words of all 48 kinds and
   images as well as single patches. The patches' targets are the drawn objects' places, so this stage had annotations;
   alignment has none.
2. **Language model**: image tower frozen; projector and decoder from scratch, ${vlm.steps} steps of ${vlm.batch}, AdamW at
   ${vlm.peakRate}, seed ${vlm.seed}. In its captions an object is followed by its partner, the next in the list of its place,
   although the picture lacks that, with a probability of ${percent(vlm.partnerShare)}, at most once a caption: that is what it
   learns to hallucinate, anywhere in a list and with confidence.

On ${record.machine}: ${minutes(record.towersS)} and ${minutes(record.languageModelS)}.

## How good it is

${greedy.responses.length} test scenes, read once after all settings were chosen; "Describe this image."

| | greedy | sampled at 0.8 |
| --- | --- | --- |
${[
  row('CHAIR_i: hallucinated mentions', ({ chairI }) => percent(chairI)),
  row('CHAIR_s: responses with one', ({ chairS }) => percent(chairS)),
  row('recall of objects', ({ recall }) => percent(recall)),
  row('words a response', ({ meanWords }) => meanWords.toFixed(1)),
  row('repeated mentions a response', ({ repeats }) => repeats.toFixed(2)),
  row('AUROC of the companion on mentions', (quality) => quality.auroc.toFixed(3)),
  row('hallucinated of the 1st, 2nd ... 6th mention', ({ hallucinatedByPlace }) =>
    hallucinatedByPlace.map((share) => (100 * share).toFixed(0)).join(', '),
  ),
].join('\n')}

The companion tells words that an image shows from all others with an AUROC of ${verifier.aurocAbsent.toFixed(3)}, from the
four most typical absent ones with ${verifier.aurocTypical.toFixed(3)}; mean cosines ${verifier.meanShown.toFixed(3)} and
${verifier.meanTypical.toFixed(3)}.
`
}
