// Where hallucinations fall and where objects are lost: the JSON lines of measure.ts by concept, by how many of the
// held-out scenes show it, and by how large it is in them. Counts are summed over seeds.
//
//   npx tsx tools/results/breakdown.ts /tmp/default.jsonl [--split test] [--test 500]
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { type ObjectCounts, objectCountsSchema } from '../../src/shared/evaluation.ts'
import { splits } from '../demo-model/world.ts'
import { sceneFolder } from '../scenes/sceneFolder.ts'

const cocoSchema = z.object({
  images: z.array(z.object({ id: z.number(), width: z.number(), height: z.number() })),
  annotations: z.array(z.object({ image_id: z.number(), category_id: z.number(), area: z.number() })),
  categories: z.array(z.object({ id: z.number(), name: z.string() })),
})
const lineSchema = z.object({
  report: z.object({
    byObject: z.object({ before: z.array(objectCountsSchema), after: z.array(objectCountsSchema) }),
  }),
})

interface Concept {
  readonly name: string
  /** Scenes that show it. */
  readonly scenes: number
  /** Mean share of the picture that one of it takes. */
  readonly area: number
  readonly before: ObjectCounts
  readonly after: ObjectCounts
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { split: { type: 'string', default: 'test' }, test: { type: 'string', default: '500' } },
})
const lines = positionals.flatMap((file) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => lineSchema.parse(JSON.parse(line)).report.byObject),
)
const concepts = await readConcepts()
const thirds = (key: 'scenes' | 'area', names: readonly string[]) => {
  const sorted = [...concepts].sort((a, b) => a[key] - b[key])
  return names.map((name, i) => {
    const part = sorted.slice(Math.round((i * sorted.length) / 3), Math.round(((i + 1) * sorted.length) / 3))
    const written = (concept: Concept | undefined) =>
      key === 'scenes' ? `${concept?.scenes}` : `${(100 * (concept?.area ?? 0)).toFixed(1)} %`
    return row(`${name} (${written(part[0])} to ${written(part.at(-1))})`, part)
  })
}

const head = '| | hallucinated of mentions, % | recall, % | mentions |\n| --- | --- | --- | --- |'
console.log(
  `${head.replace('| |', '| scenes that show it |')}\n${thirds('scenes', ['rare', 'usual', 'frequent']).join('\n')}\n`,
)
console.log(
  `${head.replace('| |', '| share of the picture |')}\n${thirds('area', ['small', 'middle', 'large']).join('\n')}\n`,
)
const most = [...concepts].sort((a, b) => b.before.hallucinatedMentions - a.before.hallucinatedMentions)
console.log(`${head.replace('| |', '| concept |')}\n${most.map((concept) => row(concept.name, [concept])).join('\n')}`)

async function readConcepts(): Promise<Concept[]> {
  const { annotations } = await sceneFolder(splits[values.split as keyof typeof splits].seed, Number(values.test))
  const coco = cocoSchema.parse(JSON.parse(readFileSync(annotations, 'utf8')))
  const pixels = new Map(coco.images.map(({ id, width, height }) => [id, width * height]))
  return coco.categories.flatMap(({ id, name }) => {
    const found = coco.annotations.filter(({ category_id }) => category_id === id)
    if (found.length === 0) return []
    const scenes = new Set(found.map(({ image_id }) => image_id)).size
    const area = found.reduce((sum, one) => sum + one.area / (pixels.get(one.image_id) ?? 1), 0) / found.length
    const of = (side: 'before' | 'after') =>
      total(lines.flatMap((line) => line[side].filter((counts) => counts.name === name)))
    return [{ name, scenes, area, before: of('before'), after: of('after') }]
  })
}

function total(counts: readonly ObjectCounts[]): ObjectCounts {
  const sum = (key: Exclude<keyof ObjectCounts, 'name'>) => counts.reduce((all, one) => all + one[key], 0)
  return {
    name: '',
    ...{ annotated: sum('annotated'), recalled: sum('recalled') },
    ...{ mentions: sum('mentions'), hallucinatedMentions: sum('hallucinatedMentions') },
  }
}

function row(name: string, part: readonly Concept[]): string {
  const [before, after] = [total(part.map((one) => one.before)), total(part.map((one) => one.after))]
  const percent = (a: number, b: number) => (b === 0 ? '-' : ((100 * a) / b).toFixed(1))
  const cells = [
    name,
    `${percent(before.hallucinatedMentions, before.mentions)} → ${percent(after.hallucinatedMentions, after.mentions)}`,
    `${percent(before.recalled, before.annotated)} → ${percent(after.recalled, after.annotated)}`,
    `${before.mentions / lines.length} → ${(after.mentions / lines.length).toFixed(0)}`,
  ]
  return `| ${cells.join(' | ')} |`
}
