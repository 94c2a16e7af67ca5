// Where hallucinations fall and where objects are lost: by how many of the sample scenes show a concept, by how large it
// is in them, and by whether the captions name it as the partner of another. Counts are summed over seeds.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { ObjectCounts } from '../../src/shared/evaluation.ts'
import { contexts, partnerOf } from '../scenes/contexts.ts'
import { sampleFolder } from '../scenes/makeSamples.ts'
import type { Line } from './lines.ts'

const cocoSchema = z.object({
  images: z.array(z.object({ id: z.number(), width: z.number(), height: z.number() })),
  annotations: z.array(z.object({ image_id: z.number(), category_id: z.number(), area: z.number() })),
  categories: z.array(z.object({ id: z.number(), name: z.string() })),
})

interface Concept {
  readonly name: string
  /** Sample scenes that show it. */
  readonly scenes: number
  /** Mean share of the picture that one of it takes. */
  readonly area: number
}

/** A table in Markdown. */
export function kindRows(lines: readonly Line[]): string {
  const concepts = readConcepts()
  const partners = new Set(contexts.flatMap((context) => context.classes.map((one) => partnerOf(one, context)?.name)))
  const thirds = (key: 'scenes' | 'area', names: readonly string[]) => {
    const sorted = [...concepts].sort((a, b) => a[key] - b[key])
    return names.map((name, i) => {
      const part = sorted.slice(Math.round((i * sorted.length) / 3), Math.round(((i + 1) * sorted.length) / 3))
      const written = (concept: Concept | undefined) =>
        key === 'scenes' ? `${concept?.scenes}` : `${(100 * (concept?.area ?? 0)).toFixed(1)} %`
      return row(`${name} (${written(part[0])} to ${written(part.at(-1))})`, part, lines)
    })
  }
  const halves = (
    [
      ['the partner of another', true],
      ['no partner', false],
    ] as const
  ).map(([name, isPartner]) =>
    row(
      name,
      concepts.filter((one) => partners.has(one.name) === isPartner),
      lines,
    ),
  )
  return [
    '| concepts | hallucinated of mentions, % | recall, % | mentions |',
    '| --- | --- | --- | --- |',
    ...halves,
    ...thirds('scenes', ['rare: sample scenes that show it', 'usual', 'frequent']),
    ...thirds('area', ['small: share of the picture', 'middle', 'large']),
  ].join('\n')
}

function readConcepts(): Concept[] {
  const coco = cocoSchema.parse(JSON.parse(readFileSync(join(sampleFolder, 'annotations.json'), 'utf8')))
  const pixels = new Map(coco.images.map(({ id, width, height }) => [id, width * height]))
  return coco.categories.flatMap(({ id, name }) => {
    const found = coco.annotations.filter(({ category_id }) => category_id === id)
    if (found.length === 0) return []
    const scenes = new Set(found.map(({ image_id }) => image_id)).size
    const area = found.reduce((sum, one) => sum + one.area / (pixels.get(one.image_id) ?? 1), 0) / found.length
    return [{ name, scenes, area }]
  })
}

function row(name: string, part: readonly Concept[], lines: readonly Line[]): string {
  const names = new Set(part.map((one) => one.name))
  const total = (side: 'before' | 'after', key: Exclude<keyof ObjectCounts, 'name'>) =>
    lines
      .flatMap(({ byObject }) => byObject?.[side] ?? [])
      .filter((counts) => names.has(counts.name))
      .reduce((sum, counts) => sum + counts[key], 0)
  const share = (
    side: 'before' | 'after',
    of: Exclude<keyof ObjectCounts, 'name'>,
    all: Exclude<keyof ObjectCounts, 'name'>,
  ) => ((100 * total(side, of)) / Math.max(1, total(side, all))).toFixed(1)
  const mentions = (side: 'before' | 'after') => (total(side, 'mentions') / Math.max(1, lines.length)).toFixed(0)
  const cells = [
    name,
    `${share('before', 'hallucinatedMentions', 'mentions')} → ${share('after', 'hallucinatedMentions', 'mentions')}`,
    `${share('before', 'recalled', 'annotated')} → ${share('after', 'recalled', 'annotated')}`,
    `${mentions('before')} → ${mentions('after')}`,
  ]
  return `| ${cells.join(' | ')} |`
}
