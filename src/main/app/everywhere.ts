// What is the same on every page: what is under way, the load of the machine, the app's settings. Made by studio.ts, whose
// parts it reads; it changes nothing of theirs but what a person asks for.
import { setTimeout as wait } from 'node:timers/promises'
import { app, nativeTheme, session } from 'electron'
import type { EventPayload, StudioEvent } from '../../shared/contract.ts'
import type { ChosenSettings } from '../../shared/settings.ts'
import type { ChannelHandlers } from '../ipc.ts'
import { showFolder } from '../security.ts'
import { Activities } from './activities.ts'
import {
  describeActivities,
  evaluationActivities,
  importActivities,
  probeActivities,
  runActivities,
} from './activityViews.ts'
import type { Describes } from './describes.ts'
import type { Engine } from './engine.ts'
import type { Evaluations } from './evaluations.ts'
import type { ImageLibrary } from './imageLibrary.ts'
import { LoadMeter, type ProcessUse } from './load.ts'
import type { RunQueue } from './runQueue.ts'
import type { SettingsFile } from './settingsFile.ts'
import { SettingsPage } from './settingsPage.ts'

export interface EverywhereOptions {
  readonly settings: SettingsFile
  readonly engine: Engine
  readonly runs: () => RunQueue
  readonly images: () => ImageLibrary
  readonly describes: () => Describes
  readonly evaluations: () => Evaluations
  readonly broadcast: <E extends StudioEvent>(event: E, payload: EventPayload<E>) => void
  readonly onSettingsChanged: () => void
}

/** The channels that are answered here. */
type Channels = Pick<
  ChannelHandlers,
  | ('app.load' | 'activity.list' | 'activity.cancel')
  | ('settings.get' | 'settings.set' | 'settings.cacheSize' | 'settings.clearCache' | 'settings.showCache')
>

export class Everywhere {
  readonly activities: Activities
  readonly settings: SettingsPage
  readonly #load: LoadMeter

  constructor(options: EverywhereOptions) {
    const { settings, engine, runs, images, describes, evaluations, broadcast, onSettingsChanged } = options
    this.activities = new Activities({ onChange: (activities) => broadcast('activity.changed', { activities }) })
    this.activities.addSource(() => runActivities(runs().list(), ({ runId }) => runs().pause(runId)))
    this.activities.addSource(() => importActivities(images().imports(), (importId) => images().cancelImport(importId)))
    this.activities.addSource(() => describeActivities(describes().list(), (id) => describes().cancel(id)))
    this.activities.addSource(() => evaluationActivities(evaluations().open(), (id) => evaluations().cancel(id)))
    this.activities.addSource(() => probeActivities(engine.probingSinceMs))
    this.settings = new SettingsPage({
      settings,
      hardware: () => engine.hardware.hardware,
      isRunUnderWay: () => runs().underWay() !== null,
      isModelInUse: () =>
        runs().underWay() !== null || describes().list().length > 0 || evaluations().open().length > 0,
      dataFolder: app.getPath('userData'),
      clearBrowserCache,
      onChange: ({ appearance }) => {
        nativeTheme.themeSource = appearance
        onSettingsChanged()
      },
    })
    this.#load = new LoadMeter({
      processes: processUses,
      enginePid: () => engine.client.status.pid,
      device: () => this.settings.view().deviceInUse,
    })
    nativeTheme.themeSource = settings.get().appearance
  }

  handlers(): Channels {
    return {
      'app.load': () => this.#load.look(),
      'activity.list': () => this.activities.list(),
      'activity.cancel': ({ id }) => {
        this.activities.cancel(id)
        return {}
      },
      'settings.get': () => this.settings.view(),
      'settings.set': ({ changes }) => this.settings.set(withoutGaps(changes)),
      'settings.cacheSize': async () => ({ sizeBytes: await this.settings.cacheSize() }),
      'settings.clearCache': async () => ({ freedBytes: await this.settings.clearCache() }),
      'settings.showCache': async () => {
        await showFolder(app.getPath('userData'))
        return {}
      },
    }
  }

  stop(): void {
    this.activities.stop()
  }
}

/** Chromium does not always say that it is done; what it frees after that is not counted. */
const browserCachePatienceMs = 5_000

async function clearBrowserCache(): Promise<void> {
  const { defaultSession } = session
  const cleared = Promise.all([defaultSession.clearCache(), defaultSession.clearCodeCaches({ urls: [] })])
  await Promise.race([cleared, wait(browserCachePatienceMs, undefined, { ref: false })])
}

/** A field that was sent as undefined is one that was not sent. */
function withoutGaps(
  changes: {
    readonly [Name in keyof ChosenSettings]?: ChosenSettings[Name] | undefined
  },
): Partial<ChosenSettings> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
}

function processUses(): ProcessUse[] {
  return app.getAppMetrics().map(({ pid, cpu, memory }) => ({
    ...{ pid, cpuSeconds: cpu.cumulativeCPUUsage ?? null },
    memoryBytes: 1024 * memory.workingSetSize,
  }))
}
