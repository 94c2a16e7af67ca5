// The packaged app decides on every fuse there is, and leaves no door open for code that is not its own.
import { FuseV1Options } from '@electron/fuses'
import { expect, test } from 'vitest'
import { developmentFuses, packagedFuses } from '../build/fuses.ts'

const all = Object.values(FuseV1Options).filter((value) => typeof value === 'number')

test('none is left to its default', () => {
  for (const fuse of all) expect(packagedFuses, FuseV1Options[fuse]).toHaveProperty(String(fuse))
})

test('what development opens is shut in the packaged app', () => {
  for (const fuse of [FuseV1Options.RunAsNode, FuseV1Options.EnableNodeCliInspectArguments]) {
    expect([developmentFuses[fuse], packagedFuses[fuse]]).toEqual([true, false])
  }
})
