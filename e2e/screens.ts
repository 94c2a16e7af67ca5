// Every screen of the window and its states, each with the way there: for tests that hold all of them to something, and
// for the pictures of docs/screens (looksAtScreens.spec.ts).
import type { Page } from '@playwright/test'
import type { PageName } from '../src/renderer/src/route.ts'
import { answerDialogs, expect, type Studio } from './studio.ts'

/** What is open: nothing, a workspace without anything, one with an evaluated run, with runs in all states, with a sweep. */
export const openings = ['nothing', 'empty', 'evaluated', 'runs', 'sweeps'] as const
export type Opening = (typeof openings)[number]

export interface Screen {
  /** As its picture is called. */
  readonly name: string
  readonly page: PageName
  readonly opening: Opening
  /** From anywhere in the window of that opening. */
  readonly show: (studio: Studio) => Promise<void>
}

const goTo = (page: Page, name: string): Promise<void> =>
  page.getByRole('navigation', { name: 'Pages' }).getByRole('button', { name }).click()
const see = async (page: Page, text: string | RegExp): Promise<void> =>
  await expect(page.getByText(text).first()).toBeVisible({ timeout: 30_000 })
const press = (page: Page, name: string | RegExp): Promise<void> => page.getByRole('button', { name }).first().click()
const showRun = async ({ page }: Studio, name: string): Promise<void> => {
  await goTo(page, 'Runs')
  await page.getByRole('navigation', { name: 'Runs' }).getByRole('button', { name }).first().click()
  await page.getByRole('article', { name }).first().waitFor()
}
const showSweep = async ({ page }: Studio): Promise<void> => {
  await goTo(page, 'Runs')
  await page
    .getByRole('navigation', { name: 'Runs' })
    .getByRole('button', { name: /^Street scenes (Complete|Sweep)/ })
    .click()
  await page.getByRole('table', { name: 'What it came to' }).waitFor()
}
const typeSeveral = async (studio: Studio): Promise<void> => {
  await newRunStep(studio, 'Check')
  const { page } = studio
  const seeds = page.getByRole('textbox', { name: 'Seeds' })
  if (!(await seeds.isVisible())) await page.getByText('Several at once').click()
  await seeds.fill('1-3')
  await page.getByRole('checkbox', { name: 'Thorough' }).check()
  await seeds.scrollIntoViewIfNeeded()
  await see(page, /^6 runs/)
}
const inspect = async ({ page }: Studio, index: number): Promise<void> => {
  await goTo(page, 'Images')
  await page.getByRole('gridcell').nth(index).dblclick()
  await page.getByRole('heading', { level: 1, name: /^scene/ }).waitFor()
}
const newRunStep = async ({ page }: Studio, step: 'Model' | 'Images' | 'Preset' | 'Check'): Promise<void> => {
  await goTo(page, 'Runs')
  await press(page, 'New run')
  await page.getByRole('main').getByRole('button', { name: step }).first().click()
}

export const screens: readonly Screen[] = [
  {
    ...{ name: 'home', page: 'home', opening: 'nothing' },
    show: async ({ page }) => {
      await goTo(page, 'Home')
      await see(page, /Engine ready/)
    },
  },
  {
    ...{ name: 'home, an error', page: 'home', opening: 'nothing' },
    show: async (studio) => {
      await goTo(studio.page, 'Home')
      await answerDialogs(studio, '/nowhere/gone.fisao')
      await press(studio.page, 'Open…')
      await studio.page.getByRole('alert').waitFor()
    },
  },
  {
    ...{ name: 'settings', page: 'settings', opening: 'nothing' },
    show: async ({ page }) => {
      await goTo(page, 'Settings')
      await see(page, /^Nothing is sent/)
    },
  },
  {
    ...{ name: 'images, none', page: 'images', opening: 'empty' },
    show: async ({ page }) => goTo(page, 'Images'),
  },
  { ...{ name: 'runs, none', page: 'runs', opening: 'empty' }, show: async ({ page }) => goTo(page, 'Runs') },
  { ...{ name: 'try it, none', page: 'try', opening: 'empty' }, show: async ({ page }) => goTo(page, 'Try it') },
  {
    ...{ name: 'evaluate, none', page: 'evaluate', opening: 'empty' },
    show: async ({ page }) => goTo(page, 'Evaluate'),
  },
  { ...{ name: 'models, none', page: 'models', opening: 'empty' }, show: async ({ page }) => goTo(page, 'Models') },
  {
    ...{ name: 'home, a workspace', page: 'home', opening: 'evaluated' },
    show: async ({ page }) => goTo(page, 'Home'),
  },
  {
    ...{ name: 'images', page: 'images', opening: 'evaluated' },
    show: async ({ page }) => {
      await goTo(page, 'Images')
      await page.getByRole('gridcell').first().waitFor()
    },
  },
  {
    ...{ name: 'images, chosen', page: 'images', opening: 'evaluated' },
    show: async ({ page }) => {
      await goTo(page, 'Images')
      await page.getByRole('gridcell').nth(2).click()
      await page.getByRole('toolbar', { name: 'Chosen images' }).waitFor()
    },
  },
  {
    ...{ name: 'inspector', page: 'inspector', opening: 'evaluated' },
    show: async (studio) => {
      await inspect(studio, 0)
      await see(studio.page, '3 words kept, 3 gone, 3 new')
    },
  },
  {
    ...{ name: 'inspector, a word', page: 'inspector', opening: 'evaluated' },
    show: async (studio) => {
      await inspect(studio, 0)
      await press(studio.page, 'giraffe, hallucinated, gone')
      await studio.page.getByRole('region', { name: 'The word giraffe' }).waitFor()
    },
  },
  {
    ...{ name: 'inspector, not described', page: 'inspector', opening: 'evaluated' },
    show: async (studio) => {
      await inspect(studio, 11)
      await studio.page.getByRole('button', { name: 'Describe with both' }).waitFor()
    },
  },
  {
    ...{ name: 'try it, choose', page: 'try', opening: 'evaluated' },
    show: async ({ page }) => {
      await goTo(page, 'Try it')
      await page
        .getByRole('button', { name: 'scene-0001.jpg' })
        .or(page.getByRole('button', { name: 'Another image…' }))
        .first()
        .waitFor()
    },
  },
  {
    ...{ name: 'try it', page: 'try', opening: 'evaluated' },
    show: async (studio) => {
      await inspect(studio, 0)
      await studio.page.getByRole('main').getByRole('button', { name: 'Try it' }).click()
      await see(studio.page, '3 words kept, 3 gone, 3 new')
    },
  },
  {
    ...{ name: 'evaluate', page: 'evaluate', opening: 'evaluated' },
    show: async ({ page }) => {
      await goTo(page, 'Evaluate')
      await page.getByRole('tab', { name: 'Figures' }).or(page.getByRole('tab').first()).first().click()
      await page
        .getByRole('navigation', { name: 'Evaluations' })
        .getByRole('button', { name: /^CHAIR/ })
        .click()
      await page.getByRole('table', { name: 'Figures' }).waitFor()
    },
  },
  {
    ...{ name: 'evaluate, failed', page: 'evaluate', opening: 'evaluated' },
    show: async ({ page }) => {
      await goTo(page, 'Evaluate')
      await page.getByRole('tab').first().click()
      await page
        .getByRole('navigation', { name: 'Evaluations' })
        .getByRole('button', { name: /^Annotations/ })
        .click()
      await page.getByRole('alert').waitFor()
    },
  },
  {
    ...{ name: 'evaluate, a vote', page: 'evaluate', opening: 'evaluated' },
    show: async ({ page }) => {
      await goTo(page, 'Evaluate')
      await page.getByRole('tab', { name: 'Blind votes' }).click()
      await page.getByRole('region', { name: 'Vote' }).getByRole('img').waitFor()
    },
  },
  {
    ...{ name: 'models, a folder that is gone', page: 'models', opening: 'runs' },
    show: async ({ page }) => {
      await goTo(page, 'Models')
      await page.getByRole('article', { name: 'llava-tiny' }).waitFor()
    },
  },
  { ...{ name: 'run, complete', page: 'runs', opening: 'runs' }, show: (studio) => showRun(studio, 'Quick look') },
  { ...{ name: 'run, paused', page: 'runs', opening: 'runs' }, show: (studio) => showRun(studio, 'Paper') },
  {
    ...{ name: 'run, refused', page: 'runs', opening: 'runs' },
    show: (studio) => showRun(studio, 'With another encoder'),
  },
  {
    ...{ name: 'run, beside its placebo', page: 'runs', opening: 'runs' },
    show: (studio) => showRun(studio, 'Street scenes'),
  },
  { ...{ name: 'new run, model', page: 'new-run', opening: 'runs' }, show: (studio) => newRunStep(studio, 'Model') },
  { ...{ name: 'new run, images', page: 'new-run', opening: 'runs' }, show: (studio) => newRunStep(studio, 'Images') },
  { ...{ name: 'new run, preset', page: 'new-run', opening: 'runs' }, show: (studio) => newRunStep(studio, 'Preset') },
  {
    ...{ name: 'new run, check', page: 'new-run', opening: 'runs' },
    show: async (studio) => {
      await newRunStep(studio, 'Check')
      await studio.page.getByRole('list', { name: 'Findings' }).waitFor()
    },
  },
  {
    ...{ name: 'new run, several at once', page: 'new-run', opening: 'sweeps' },
    show: typeSeveral,
  },
  {
    ...{ name: 'new run, send to the cluster', page: 'new-run', opening: 'sweeps' },
    show: async (studio) => {
      await typeSeveral(studio)
      await press(studio.page, 'Send to the cluster…')
      await studio.page.getByRole('dialog', { name: 'Send to the cluster' }).waitFor()
    },
  },
  { ...{ name: 'sweep', page: 'runs', opening: 'sweeps' }, show: showSweep },
  {
    ...{ name: 'sweep, chair', page: 'runs', opening: 'sweeps' },
    show: async (studio) => {
      await showSweep(studio)
      await press(studio.page, 'Measure CHAIR…')
      await see(studio.page, /5 evaluations, 15 answers/)
    },
  },
  {
    ...{ name: 'sweep, of other machines', page: 'runs', opening: 'sweeps' },
    show: async ({ page }) => {
      await goTo(page, 'Runs')
      await page.getByRole('navigation', { name: 'Runs' }).getByRole('button', { name: 'At night' }).click()
      await see(page, '0 of 4 cells are here; 3 not at their end, 1 failed.')
    },
  },
]
