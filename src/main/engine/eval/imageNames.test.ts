// Names of annotated images against files: folders, slashes, case, accents, and names that stand several times.
import { describe, expect, test } from 'vitest'
import { matchImages } from './imageNames.ts'

/** The file that each name finds, by its path. */
function found(listed: readonly string[], files: readonly string[]): string[] {
  return matchImages(listed, files).map((match) => (typeof match === 'string' ? match : (files[match.file] as string)))
}

describe('one file of the name', () => {
  test.each([
    ['the same path', 'a/x.jpg', 'a/x.jpg', false],
    ['a folder in the annotations', 'val2014/x.jpg', 'x.jpg', false],
    ['a folder on the disk', 'x.jpg', 'val2014/x.jpg', false],
    ['a full path on the disk', 'val2014/x.jpg', '/home/me/val2014/x.jpg', false],
    ['a full path of another machine', 'C:\\coco\\val2014\\x.jpg', 'val2014/x.jpg', false],
    ['an address', 'http://images.cocodataset.org/val2014/x.jpg', 'x.jpg', false],
    ['slashes of Windows', '.\\imgs\\x.jpg', 'imgs/x.jpg', false],
    ['another case', 'x.JPG', 'X.jpg', false],
    ['composed and decomposed accents', 'caf\u00e9.jpg', 'cafe\u0301.jpg', false],
    ['folders of other names', 'val2014/x.jpg', '/home/me/pictures/x.jpg', true],
  ])('%s', (_, listed, file, isElsewhere) => {
    expect(matchImages([listed], ['y.jpg', file])).toEqual([{ file: 1, isElsewhere }])
  })

  test('is not one of which the name is a part, nor a folder', () => {
    expect(matchImages(['x.jpg', 'a/', ''], ['xx.jpg', 'x.jpg.png', 'a/y.jpg'])).toEqual([
      'missing',
      'missing',
      'missing',
    ])
  })
})

describe('several of one name', () => {
  test('are told apart by their folders', () => {
    const files = ['/data/train/1.jpg', '/data/val/1.jpg']
    expect(found(['val/1.jpg', 'train/1.jpg'], files)).toEqual(['/data/val/1.jpg', '/data/train/1.jpg'])
  })

  test('by the folders before those of the same name', () => {
    const files = ['a/imgs/1.jpg', 'b/imgs/1.jpg']
    expect(found(['b/imgs/1.jpg', 'a/imgs/1.jpg'], files)).toEqual(['b/imgs/1.jpg', 'a/imgs/1.jpg'])
  })

  test('by the whole path: the one in no folder is meant', () => {
    expect(found(['1.jpg'], ['a/1.jpg', '1.jpg'])).toEqual(['1.jpg'])
  })

  test('by case at last', () => {
    expect(found(['X.jpg', 'x.jpg'], ['x.jpg', 'X.jpg'])).toEqual(['X.jpg', 'x.jpg'])
  })

  test('or are left out: no folder says which', () => {
    expect(found(['1.jpg', '2.jpg'], ['a/1.jpg', 'b/1.jpg', 'b/2.jpg'])).toEqual(['ambiguous', 'b/2.jpg'])
  })

  test('of the annotations never share one file', () => {
    expect(found(['train/1.jpg', 'val/1.jpg'], ['1.jpg'])).toEqual(['ambiguous', 'ambiguous'])
    expect(found(['train/1.jpg', 'val/1.jpg'], ['val/1.jpg'])).toEqual(['missing', 'val/1.jpg'])
  })
})
