// What goes into an installer: code that runs on its system, and nothing else.
import { expect, test } from 'vitest'
import { projectRoot } from '../runProgram.ts'
import { readLockFile } from './lockFile.ts'
import { appFiles, isNeeded } from './packageFiles.ts'

const linux = { platform: 'linux', arch: 'x64' }

test.each([
  ['node_modules/zod/v4/core/util.js', true],
  ['node_modules/zod/src/index.ts', false],
  ['node_modules/zod/index.d.cts', false],
  ['node_modules/a/index.js.map', false],
  ['node_modules/a/README.md', false],
  ['node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime.so.1', true],
  ['node_modules/onnxruntime-node/bin/napi-v6/linux/arm64/libonnxruntime.so.1', false],
  ['node_modules/onnxruntime-node/bin/napi-v6/win32/x64/onnxruntime.dll', false],
  ['node_modules/better-sqlite3/prebuilds/linux-x64.node', true],
  ['node_modules/better-sqlite3/prebuilds/linuxmusl-x64.node', false],
  ['node_modules/better-sqlite3/deps/sqlite3/sqlite3.c', false],
  ['node_modules/onnx-proto/node_modules/protobufjs/src/root.js', true],
  ['node_modules/onnx-proto/node_modules/protobufjs/cli/node_modules/lodash/index.js', false],
])('%s: %s', (path, needed) => expect(isNeeded(path, linux)).toBe(needed))

test('packages that only development needs stay out, and what runs without a window lies unpacked', () => {
  const files = appFiles(projectRoot, readLockFile(projectRoot), linux)
  const paths = files.map(({ path }) => path)
  expect(paths).toEqual([...paths].sort())
  expect(new Set(paths).size).toBe(paths.length)
  expect(paths.filter((path) => /node_modules\/(electron|vite|react|typescript|sharp|@types)\//.test(path))).toEqual([])
  expect(paths).toContain('node_modules/onnx-proto/node_modules/long/src/long.js')
  const unpacked = files.filter(({ isUnpacked }) => isUnpacked).map(({ path }) => path)
  expect(unpacked).toEqual(expect.arrayContaining(paths.filter((path) => /\.node$|\.so\b|^package\.json$/.test(path))))
  expect(unpacked.filter((path) => /^out\/(main|preload|renderer)\/|\/zod\//.test(path))).toEqual([])
})
