// A person's hand: presses what it is told to and counts it; what is chosen in a file dialog is not counted.
import type { Locator, Page } from '@playwright/test'
import { answerDialogs, type Studio } from './studio.ts'

export class Hand {
  readonly studio: Studio
  readonly page: Page
  clicks = 0

  constructor(studio: Studio) {
    this.studio = studio
    this.page = studio.page
  }

  async click(target: Locator): Promise<void> {
    await target.click()
    this.clicks++
  }

  /** Presses what opens a file dialog, and chooses this in it. */
  async choose(target: Locator, path: string): Promise<void> {
    await answerDialogs(this.studio, path)
    await this.click(target)
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name })
  }
}
