// Folders as people have them by mistake, brought through the window: each gets its sentence and what helps, and none is
// added. The others of their kind go through the same check in src/main/engine/jobs/oddFolders.test.ts.
import { join } from 'node:path'
import { projectRoot } from '../scripts/runProgram.ts'
import { makeOddFolder, oddFolders } from '../src/main/engine/jobs/testing/oddFolders.ts'
import { look } from './looks.ts'
import { createWorkspace, expect, isThorough, test, why } from './studio.ts'

const shown = [
  'llama.cpp',
  'half a download',
  'config.json by git alone',
  'LlavaLlamaForCausalLM',
  'bitsandbytes',
  'another image token',
  'pickles',
]

test('an odd folder gets its sentence at the check', async ({ studio, folder }) => {
  test.skip(!isThorough, why)
  const { page } = studio
  await createWorkspace(studio, join(folder, 'work.fisao'))
  await page.getByRole('button', { name: 'Models' }).click()
  await page.getByRole('button', { name: 'Add a model' }).click()
  const dialog = page.getByRole('dialog', { name: 'Add a model' })
  const encoder = join(projectRoot, 'tools/parity/fixtures/clip-encoder')
  await dialog.getByRole('textbox', { name: 'Folder of its encoder' }).fill(encoder)
  for (const what of shown) {
    const odd = oddFolders.find((one) => one.what === what)
    if (odd?.says === undefined) throw new Error(`no folder is called ${what}`)
    const path = join(folder, what)
    await makeOddFolder(path, odd)
    await dialog.getByRole('textbox', { name: 'Folder of the model' }).fill(path)
    await dialog.getByRole('button', { name: 'Check and add' }).click()
    const alert = dialog.getByRole('alert')
    await expect(alert).toContainText(new RegExp(odd.says.source.replace('^', ''), odd.says.flags))
    await expect(alert).toContainText(odd.advises ?? /\w/)
    if (what === 'LlavaLlamaForCausalLM') await look(page, what)
  }
})
