// Small files in the benchmarks' own formats about the first sample scenes, as a person has them on a disk: POPE's questions,
// a folder of MME and the data of AMBER. What is asked for follows from the scenes' annotations.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../scripts/runProgram.ts'

export interface BenchmarkFiles {
  readonly images: string
  readonly popeQuestions: string
  readonly mmeFolder: string
  readonly amberData: string
  readonly amberQueries: string
}

interface Coco {
  readonly images: readonly { readonly id: number; readonly file_name: string }[]
  readonly annotations: readonly { readonly image_id: number; readonly category_id: number }[]
  readonly categories: readonly { readonly id: number; readonly name: string }[]
}

const scenes = 4

export function writeBenchmarks(folder: string): BenchmarkFiles {
  const samples = join(projectRoot, 'resources/samples')
  const coco = JSON.parse(readFileSync(join(samples, 'annotations.json'), 'utf8')) as Coco
  const names = new Map(coco.categories.map(({ id, name }) => [id, name]))
  const pictures = [...coco.images]
    .sort((a, b) => (a.file_name < b.file_name ? -1 : 1))
    .slice(0, scenes)
    .map(({ id, file_name: name }) => {
      const own = coco.annotations.filter(({ image_id }) => image_id === id)
      const objects = [...new Set(own.map(({ category_id }) => names.get(category_id) ?? ''))]
      const absent = [...names.values()].find((one) => !objects.includes(one)) ?? ''
      return { name, present: objects[0] ?? '', objects, absent }
    })
  const made = (name: string): string => {
    const path = join(folder, name)
    mkdirSync(path, { recursive: true })
    return path
  }
  const images = made('pictures')
  const existence = made('mme/existence')
  for (const { name, present, absent } of pictures) {
    copyFileSync(join(samples, 'images', name), join(images, name))
    copyFileSync(join(samples, 'images', name), join(existence, name))
    const lines = [`${question(present)}\tYes`, `${question(absent)}\tNo`]
    writeFileSync(join(existence, name.replace('.jpg', '.txt')), `${lines.join('\n')}\n`)
  }

  const popeQuestions = join(folder, 'pope.json')
  const asked = pictures.flatMap(({ name, present, absent }) => [
    { image: name, text: question(present), label: 'yes' },
    { image: name, text: question(absent), label: 'no' },
  ])
  writeFileSync(popeQuestions, asked.map((one, i) => `${JSON.stringify({ question_id: i + 1, ...one })}\n`).join(''))

  const amberData = made('amber/data')
  const descriptions = pictures.map(({ objects, absent }) => ({ type: 'generative', truth: objects, hallu: [absent] }))
  const yesNo = pictures.map(() => ({ type: 'discriminative-hallucination', truth: 'no' }))
  const annotations = [...descriptions, ...yesNo].map((one, i) => ({ id: i + 1, ...one }))
  const words = new Set(pictures.flatMap(({ objects, absent }) => [...objects, absent]))
  writeFileSync(join(amberData, 'annotations.json'), JSON.stringify(annotations))
  writeFileSync(join(amberData, 'relation.json'), JSON.stringify(Object.fromEntries([...words].map((w) => [w, []]))))
  writeFileSync(join(amberData, 'safe_words.txt'), 'light\n')
  const amberQueries = join(folder, 'amber/query_all.json')
  const queries = [
    ...pictures.map(({ name }) => ({ image: name, query: 'Describe this image.' })),
    ...pictures.map(({ name, absent }) => ({ image: name, query: question(absent) })),
  ]
  writeFileSync(amberQueries, JSON.stringify(queries.map((one, i) => ({ id: i + 1, ...one }))))
  return { images, popeQuestions, mmeFolder: join(folder, 'mme'), amberData, amberQueries }
}

function question(object: string): string {
  return `Is there a ${object} in the image?`
}
