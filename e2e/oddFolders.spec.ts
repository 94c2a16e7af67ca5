// Folders as people have them by mistake, brought through the window: each gets its sentence and what helps, and none is
// added. In every run of the tests they go through the same check in src/main/engine/jobs/oddFolders.test.ts.
import { join } from 'node:path'
import { projectRoot } from '../scripts/runProgram.ts'
import { makeOddFolder, oddFolders } from '../src/main/engine/jobs/testing/oddFolders.ts'
import { look } from './looks.ts'
import { createWorkspace, expect, isThorough, test, why } from './studio.ts'

test('an odd folder gets its sentence at the check', async ({ studio, folder }) => {
  test.skip(!isThorough, why)
  test.setTimeout(600_000)
  const { page } = studio
  await createWorkspace(studio, join(folder, 'work.fisao'))
  await page.getByRole('button', { name: 'Models' }).click()
  await page.getByRole('button', { name: 'Add a model' }).click()
  const dialog = page.getByRole('dialog', { name: 'Add a model' })
  const encoder = join(projectRoot, 'tools/parity/fixtures/clip-encoder')
  await dialog.getByRole('textbox', { name: 'Folder of its encoder' }).fill(encoder)
  for (const odd of oddFolders) {
    const { what, says, advises } = odd
    if (says === undefined) continue
    const path = join(folder, what.replaceAll(/\W+/g, ' '))
    await makeOddFolder(path, odd)
    await dialog.getByRole('textbox', { name: 'Folder of the model' }).fill(path)
    await dialog.getByRole('button', { name: 'Check and add' }).click()
    const alert = dialog.getByRole('alert')
    await expect(alert).toContainText(within(says), { timeout: 20_000 })
    await expect(alert).toContainText(within(advises ?? /\w/))
    if (what === 'LlavaLlamaForCausalLM') await look(page, what)
  }
})

/** The same, found within what stands around it. */
function within({ source, flags }: RegExp): RegExp {
  return new RegExp(source.replace(/^\^|\$$/g, ''), flags)
}
