// `npx tsx scripts/manPage.ts`: writes the man page of the command without a window, after a change of its options or texts.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { manPage, manPageFile } from '../src/main/headless/manPage.ts'
import { projectRoot } from './runProgram.ts'

const file = join(projectRoot, 'resources', manPageFile)
mkdirSync(dirname(file), { recursive: true })
writeFileSync(file, manPage())
