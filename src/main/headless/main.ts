// The entry of `fisao-studio-run` (out/headless/run.js): plain Node starts this file.
import { runHeadless } from './run.ts'

process.exitCode = await runHeadless(process.argv.slice(2), process.cwd())
