// The choice of images as main is asked for it.
import { expect, test } from 'vitest'
import { allImages, imageSelectionSchema } from '../../../../shared/domain.ts'
import { asRequest, countChosen, isChosen, nothing, these, toggled } from './selection.ts'

test('single images are chosen and left again', () => {
  const two = toggled(new Set([4]), 9)
  expect([isChosen(two, 4), isChosen(two, 9), isChosen(two, 5), countChosen(two, 100)]).toEqual([true, true, false, 2])
  expect(toggled(new Set([4, 9]), 4)).toEqual(these([9]))
})

test('all stand for whatever the query finds', () => {
  const all = { of: 'all' } as const
  expect([isChosen(all, 123), countChosen(all, 100_000)]).toEqual([true, 100_000])
  expect(asRequest(all, allImages)).toEqual({ query: allImages })
})

test('a request names the images, and there is none for nothing', () => {
  expect(asRequest(nothing, allImages)).toBeNull()
  const request = asRequest(these([3, 1]), allImages)
  expect(imageSelectionSchema.parse(request)).toEqual({ imageIds: [3, 1] })
})
