// Models: bring one by its two folders, swapped first, see what it is made of, find it again after a move, and remove it.
import { cpSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../scripts/runProgram.ts'
import { look, lookAtAll } from './looks.ts'
import { createWorkspace, expect, makeWorkspace, test } from './studio.ts'

test('a model is brought, looked at, found again and removed', async ({ studio, folder }) => {
  const { page } = studio
  const model = join(folder, 'models', 'a model folder with a rather long name, as people have them')
  const encoder = join(folder, 'models', 'its encoder')
  cpSync(join(projectRoot, 'resources/demo-model'), model, { recursive: true })
  renameSync(join(model, 'encoder'), encoder)
  await createWorkspace(studio, join(folder, 'work.fisao'))
  await page.getByRole('button', { name: 'Models' }).click()
  await expect(page.getByRole('heading', { name: 'Bring a model' })).toBeVisible()
  await look(page, 'models empty')

  await test.step('folders taken for one another are swapped by a click', async () => {
    await page.getByRole('button', { name: 'Add a model' }).click()
    const dialog = page.getByRole('dialog', { name: 'Add a model' })
    await dialog.getByRole('textbox', { name: 'Folder of the model' }).fill(encoder)
    await dialog.getByRole('textbox', { name: 'Folder of its encoder' }).fill(model)
    await dialog.getByRole('button', { name: 'Check and add' }).click()
    await expect(dialog.getByRole('alert')).toBeVisible()
    await look(page, 'models swapped')
    await dialog.getByRole('button', { name: 'Swap the two' }).click()
    await expect(dialog).toBeHidden()
  })

  const details = page.getByRole('article', { name: /^a model folder/ })
  await test.step('what it is made of, needs and holds', async () => {
    await expect(details.getByText('Encoder verified')).toBeVisible()
    const parts = details.getByRole('table', { name: 'Parts of the model' })
    await expect(parts.getByRole('row', { name: /Projector/ })).toBeVisible()
    await expect(details.getByRole('img', { name: /^the model: .*image tower .*Projector .*decoder/ })).toBeVisible()
    await expect(details.getByText('Align in a run')).toBeVisible()
    await expect(details.getByText('No run was made with it yet.')).toBeVisible()
  })
  await lookAtAll(studio, 'models')

  await test.step('its files', async () => {
    await details.getByText('Show the files').click()
    await expect(details.getByRole('table', { name: 'Files of the model' })).toContainText('model.safetensors')
    await look(page, 'models files')
  })

  await test.step('a folder that has moved is said, and found again', async () => {
    const moved = `${model}, moved`
    renameSync(model, moved)
    await page.getByRole('button', { name: 'Home' }).click()
    await page.getByRole('button', { name: 'Models' }).click()
    await details.getByRole('button', { name: 'Say where it is now' }).click()
    const dialog = page.getByRole('dialog', { name: /^Relink/ })
    await dialog.getByRole('textbox', { name: 'Folder of the model' }).fill(moved)
    await look(page, 'models relink')
    await dialog.getByRole('button', { name: 'Check and relink' }).click()
    await expect(dialog).toBeHidden()
    await expect(page.getByRole('table', { name: 'Parts of the model' })).toBeVisible()
  })

  await page.getByRole('button', { name: 'Remove…' }).click()
  await page.getByRole('button', { name: 'Remove the model' }).click()
  await expect(page.getByRole('heading', { name: 'Bring a model' })).toBeVisible()
})

test('one that runs were made with stays, and the refusal names them', async ({ launch, folder }) => {
  const path = join(folder, 'aligned.fisao')
  await makeWorkspace(path, 'e2e/runsFile.ts', path)
  const { page } = await launch({ args: [path] })
  await page.getByRole('button', { name: 'Models' }).click()
  const details = page.getByRole('article', { name: 'llava-tiny' })
  await expect(details.getByRole('button', { name: 'Say where it is now' })).toBeVisible()
  await details.getByRole('button', { name: 'Remove…' }).click()
  await page.getByRole('button', { name: 'Remove the model' }).click()
  await expect(details.getByText(/cannot be removed.*“Street scenes/)).toBeVisible()
  await look(page, 'models refusal')
  await details.getByRole('button', { name: 'Quick look' }).click()
  await expect(page.getByRole('article', { name: 'Quick look' })).toBeVisible()
})
