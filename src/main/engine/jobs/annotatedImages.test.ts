// Files of annotations against folders of images that name the same pictures otherwise: what is found, what is left out
// and said, and what is refused. Files and folders are real.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type AnnotationJoin, joinFindings } from '../../../shared/annotationJoin.ts'
import { annotatedImages, calibrationAnnotations } from './annotatedImages.ts'
import { readLexicon } from './readLexicon.ts'

const home = mkdtempSync(join(tmpdir(), 'fisao-annotated-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const lexicon = await readLexicon(join(import.meta.dirname, '../../../../resources/lexicons/coco-objects.json'))
let number = 0

/** A folder with a file of each name. */
function folderOf(...names: readonly string[]): string {
  const folder = join(home, `images ${++number}`)
  for (const name of names) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), name)
  }
  return folder
}

const categories = [
  { id: 1, name: 'dog' },
  { id: 2, name: 'diningtable' },
  { id: 3, name: 'sand_castle' },
]

/** Annotations of images of these names: the first has a dog, the second a table and so on. */
function annotationsOf(names: readonly string[], change: Record<string, unknown> = {}): string {
  const path = join(home, `annotations ${++number}.json`)
  const images = names.map((file_name, i) => ({ id: i + 1, file_name }))
  const annotations = names.map((_, i) => ({ image_id: i + 1, category_id: (i % 3) + 1 }))
  writeFileSync(path, JSON.stringify({ images, annotations, categories, ...change }))
  return path
}

async function found(folder: string, annotations: string): Promise<Record<string, string[]>> {
  const { images } = await annotatedImages(folder, annotations, lexicon, null)
  return Object.fromEntries(images.map(({ path, objects }) => [relative(folder, path), [...objects]]))
}

describe('images of a folder', () => {
  test.each([
    ['as they lie', ['a.jpg', 'b.jpg'], ['a.jpg', 'b.jpg']],
    ['in a folder of the annotations', ['a.jpg', 'b.jpg'], ['val2014/a.jpg', 'val2014/b.jpg']],
    ['in a folder of the disk', ['val2014/a.jpg', 'val2014/b.jpg'], ['a.jpg', 'b.jpg']],
    ['with slashes of Windows', ['imgs/a.jpg', 'imgs/b.jpg'], ['.\\imgs\\a.jpg', '.\\imgs\\b.jpg']],
    ['with paths of another machine', ['a.jpg', 'b.jpg'], ['/data/coco/a.jpg', 'D:\\coco\\b.jpg']],
    ['in another case', ['a.jpg', 'b.JPG'], ['a.JPG', 'B.jpg']],
    ['with accents written otherwise', ['cafe\u0301.jpg', 'b.jpg'], ['caf\u00e9.jpg', 'b.jpg']],
  ])('%s', async (_, files, listed) => {
    expect(await found(folderOf(...files), annotationsOf(listed))).toEqual({
      [files[0] as string]: ['dog'],
      [files[1] as string]: ['dining table'],
    })
  })

  test('that are links are found', async () => {
    const folder = folderOf('b.jpg')
    symlinkSync(join(folderOf('a.jpg'), 'a.jpg'), join(folder, 'a.jpg'))
    expect(await found(folder, annotationsOf(['x/a.jpg', 'b.jpg']))).toEqual({
      'a.jpg': ['dog'],
      'b.jpg': ['dining table'],
    })
  })

  test('outside the folder are not reached, whatever the annotations say', async () => {
    const folder = folderOf('inner/a.jpg', 'b.jpg')
    expect(await found(join(folder, 'inner'), annotationsOf(['a.jpg', '../b.jpg', join(folder, 'b.jpg')]))).toEqual({
      'a.jpg': ['dog'],
    })
  })

  test('of one name in two folders go by their folders, else they are left out and named', async () => {
    const folder = folderOf('train/1.jpg', 'val/1.jpg', '2.jpg')
    expect(await found(folder, annotationsOf(['val/1.jpg', 'train/1.jpg']))).toEqual({
      'val/1.jpg': ['dog'],
      'train/1.jpg': ['dining table'],
    })
    const { images, join: joined } = await annotatedImages(folder, annotationsOf(['1.jpg', '2.jpg']), lexicon, null)
    expect(images.map(({ path }) => relative(folder, path))).toEqual(['2.jpg'])
    expect(joined.ambiguous).toEqual({ count: 1, first: ['1.jpg'] })
  })

  test('and annotations without a partner are counted and told, with what cannot be judged', async () => {
    const folder = folderOf('a.jpg', 'b.jpg', 'notes.txt', 'more/c.png')
    const path = annotationsOf(['a.jpg', 'b.jpg', 'gone.jpg'], {
      annotations: [
        { image_id: 1, category_id: 3 },
        { image_id: 77, category_id: 1 },
      ],
    })
    const { join: joined, judged } = await annotatedImages(folder, path, lexicon, null)
    expect([...judged]).toEqual(['dog', 'dining table', 'sand castle'])
    expect(joined).toMatchObject({
      ...{ listed: 3, found: 2, strayAnnotations: 1 },
      missing: { count: 1, first: ['gone.jpg'] },
      ambiguous: { count: 0, first: [] },
      unlisted: { count: 1, first: ['more/c.png'] },
      unknownCategories: { count: 1, first: ['sand_castle'] },
      unjudgedObjects: { count: 78 },
    })
    const findings = joinFindings(joined, 'evaluation')
    expect(findings).toHaveLength(5)
    expect(findings[0]).toMatch(/^1 of 3 annotated images \(“gone.jpg”\) is not there and takes no part\. If /)
    expect(findings[1]).toMatch(/^1 image \(“more\/c.png”\) has no annotations and takes no part\. /)
    expect(findings[2]).toMatch(/^1 annotation of images that the file does not list was left out\. /)
    expect(findings[3]).toMatch(/^1 category \(“sand_castle”\) of the annotations is not in the lexicon/)
    expect(findings[4]).toMatch(/^78 objects \(such as “person”, “bicycle”, “car”\) of the lexicon have no category/)
    expect(joinFindings(joined, 'calibration')).toEqual(findings.slice(1))
  })

  test.each([
    ['none of the images', annotationsOf(['x.jpg', 'y.jpg']), { expected: 'x.jpg', found: 'a.jpg' }],
    ['no image of a clear name', annotationsOf(['1.jpg']), { expected: '1.jpg' }],
    [
      'no category of the lexicon',
      annotationsOf(['a.jpg'], { categories: [{ id: 1, name: 'Hund' }] }),
      { expected: 'person, bicycle, car', found: 'hund' },
    ],
  ])('are refused with %s', async (_, annotations, facts) => {
    const refused = annotatedImages(folderOf('a.jpg', 'p/1.jpg', 'q/1.jpg'), annotations, lexicon, null)
    await expect(refused).rejects.toMatchObject({ code: 'run.annotations', where: annotations, ...facts })
  })
})

describe('images of a run', () => {
  const imagesOf = (...paths: readonly string[]) =>
    paths.map((path, i) => ({ imageId: i + 1, path, sha256: `${i}`.repeat(64) }))
  const of = async (paths: readonly string[], annotations: string, nouns = false) => {
    const images = imagesOf(...paths)
    const read = await calibrationAnnotations(images, annotations, lexicon, { nouns })
    const objects = images.map(({ sha256 }) => {
      const present = read.objectsOf(sha256)
      return present && [...present]
    })
    return { objects, join: read.join }
  }

  test('have the annotations of their own folder, and none where it is not clear', async () => {
    const paths = ['/d/train/1.jpg', '/d/val/1.jpg', '/d/val/2.jpg', '/d/val/3.jpg']
    const { objects, join: joined } = await of(paths, annotationsOf(['val/1.jpg', 'train/1.jpg', 'old/2.jpg']))
    expect(objects).toEqual([['dining table'], ['dog'], ['sand castle'], null])
    expect(joined).toMatchObject({
      ...{ found: 3, otherFolder: { count: 1, first: ['old/2.jpg'] } },
      unlisted: { count: 1, first: ['/d/val/3.jpg'] },
    })
    const unclear = await of(paths.slice(0, 3), annotationsOf(['1.jpg', '2.jpg']))
    expect(unclear.objects).toEqual([null, null, ['dining table']])
    expect(unclear.join.ambiguous.first).toEqual(['1.jpg'])
    expect(joinFindings(unclear.join, 'calibration').join(' ')).toContain('files of one name lie in several folders')
  })

  test('without any annotation are refused, and so is a lexicon without their objects, unless other nouns count', async () => {
    await expect(of(['/d/a.jpg'], annotationsOf(['b.jpg']))).rejects.toMatchObject({
      ...{ code: 'run.annotations', expected: 'b.jpg', found: '/d/a.jpg' },
      remedy: expect.stringContaining('Choose the file'),
    })
    const castles = annotationsOf(['a.jpg'], { categories: [{ id: 1, name: 'Sand-Castle' }] })
    await expect(of(['/d/a.jpg'], castles)).rejects.toMatchObject({ code: 'run.annotations' })
    expect((await of(['/d/a.jpg'], castles, true)).objects).toEqual([['sand castle']])
  })
})

test('what fits wholly needs no word', () => {
  const none = { count: 0, first: [] }
  const whole: AnnotationJoin = {
    ...{ listed: 2, found: 2, strayAnnotations: 0, missing: none, ambiguous: none, otherFolder: none },
    ...{ unlisted: none, unknownCategories: none, unjudgedObjects: none },
  }
  expect(joinFindings(whole, 'evaluation')).toEqual([])
})
