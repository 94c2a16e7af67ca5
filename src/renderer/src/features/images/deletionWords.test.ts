// The question before images are deleted for good says what goes and what stays.
import { expect, test } from 'vitest'
import { deletionWords } from './deletionWords.ts'

test('one image, several, and those that runs hold', () => {
  const one = { images: 1, kept: 0, responses: 1, thumbnailBytes: 2000 }
  expect(deletionWords(one)).toEqual([
    '1 image leaves the workspace with its tags, its thumbnail of 2 kB and 1 response to it. A backup is taken before; the workspace uses the room for what comes next. Your files stay where they are.',
    null,
  ])
  expect(deletionWords({ images: 3, kept: 2, responses: 0, thumbnailBytes: 5_000_000 })).toEqual([
    expect.stringContaining('3 images leave the workspace with their tags, thumbnails of 4.8 MB. A backup'),
    '2 stay among the removed ones, because a run was made with them.',
  ])
  expect(deletionWords({ images: 0, kept: 1, responses: 0, thumbnailBytes: 0 })).toEqual([
    null,
    '1 stays among the removed ones, because a run was made with it.',
  ])
})
