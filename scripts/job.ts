// `npm run job -- JOB.json`: the command of the package (src/main/headless) from a checkout, on a Node that may be too old for
// the database binding as it ships, which is then compiled once.
import { pathToFileURL } from 'node:url'
import { sqliteBinding } from './setup/sqlite.ts'

async function main(): Promise<number> {
  const runtime = { electronPath: process.execPath, napiVersion: Number(process.versions.napi) }
  const binding = await sqliteBinding(runtime, (line) => process.stderr.write(`[setup] ${line}\n`))
  if (binding !== null) process.env.FISAO_SQLITE_BINDING = binding
  const { runHeadless } = await import('../src/main/headless/run.ts')
  // npm runs scripts in the project's folder and keeps the caller's here.
  return await runHeadless(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd())
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = await main()
