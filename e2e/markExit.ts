// Loaded before a script of onRuntime (studio.ts): writes down the exit code at the very end. Rarely, about once in some
// hundred runs under load, Node does not come back from ending the thread that translates TypeScript, after all is done.
import { writeFileSync } from 'node:fs'

const file = process.env.FISAO_EXIT_FILE
if (file !== undefined) process.on('exit', (code) => writeFileSync(file, String(code)))
