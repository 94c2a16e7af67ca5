// Annotated calibration with nouns outside the annotated categories, worked by hand.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { presetConfig } from '../../../shared/runConfig.ts'
import { readLexicon } from '../jobs/readLexicon.ts'
import { calibrateAnnotated } from './calibration.ts'
import { labelledScores } from './labels.ts'
import { findObjects } from './objectWords.ts'

const coco = await readLexicon(join(import.meta.dirname, '../../../../resources/lexicons/coco-objects.json'))

test('nouns that the annotations have no category of are neither right nor hallucinated', () => {
  // Four nouns, of which the lexicon has one; a file of COCO's categories says nothing of curtain, lamp and carpet.
  const text = 'A dog and a cat by a curtain, a lamp and a carpet.'
  const mentions = findObjects(text, coco, { otherNouns: true, nounsOnly: false }).map((mention, i) => ({
    ...{ ...mention, score: i / 10 },
  }))
  expect(mentions.map(({ name }) => name)).toEqual(['dog', 'cat', 'curtain', 'lamp', 'carpet'])
  const labelled = labelledScores(mentions, new Set(['dog']), coco.names)
  expect(labelled).toEqual([
    { score: 0, isPresent: true },
    { score: 0.1, isPresent: false },
  ])
  expect(calibrateAnnotated(labelled, presetConfig('quick-look').calibration)).toMatchObject({
    scores: 2,
    hallucinated: { share: 0.5 },
  })
})

test('a category that the lexicon lacks judges the noun of its name', () => {
  const mentions = [
    { name: 'lamp', score: 0.3 },
    { name: 'carpet', score: 0.2 },
  ]
  expect(labelledScores(mentions, new Set(), new Set(['lamp']))).toEqual([{ score: 0.3, isPresent: false }])
})
