// How the processes are built: main (with the entries of its workers), preload, renderer. Only packages under `dependencies`
// stay beside the app; zod, which every process loads at its start, is built in: 80 files and all its languages else.
import { resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'electron-vite'

const here = import.meta.dirname

export default defineConfig({
  main: {
    build: {
      rollupOptions: {
        input: {
          index: resolve(here, 'src/main/index.ts'),
          engine: resolve(here, 'src/main/engine/worker.ts'),
          engineThread: resolve(here, 'src/main/engine/pool/workerThread.ts'),
          library: resolve(here, 'src/main/library/worker.ts'),
          catalogue: resolve(here, 'src/main/library/catalogueWorker.ts'),
          sweeps: resolve(here, 'src/main/headless/sweepProcess.ts'),
        },
      },
    },
  },
  preload: {
    build: {
      // A sandboxed preload is CommonJS and may load nothing beside electron.
      rollupOptions: {
        input: resolve(here, 'src/preload/index.ts'),
        output: { format: 'cjs', entryFileNames: 'index.cjs' },
      },
    },
  },
  renderer: {
    root: resolve(here, 'src/renderer'),
    build: { rollupOptions: { input: resolve(here, 'src/renderer/index.html') } },
    plugins: [react()],
  },
})
