// How `fisao-studio-run` is built: one program for plain Node in out/headless, beside which only the three packages with
// native code have to lie. scripts/build.ts has it built after the app.
import { resolve } from 'node:path'
import { defineConfig } from 'vite'

const here = import.meta.dirname

/** Packages with native code; everything else is built in. */
export const nativePackages = ['better-sqlite3', 'onnxruntime-node', '@napi-rs/image']

export default defineConfig({
  publicDir: false,
  ssr: { noExternal: true, external: nativePackages },
  build: {
    ssr: true,
    target: 'node20',
    outDir: resolve(here, 'out/headless'),
    emptyOutDir: true,
    minify: false,
    reportCompressedSize: false,
    rollupOptions: {
      input: {
        run: resolve(here, 'src/main/headless/main.ts'),
        engineThread: resolve(here, 'src/main/engine/pool/workerThread.ts'),
      },
      output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'parts/[name]-[hash].js' },
    },
  },
})
