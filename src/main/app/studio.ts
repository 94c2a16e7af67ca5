// The app behind its window: puts engine, library, workspaces and settings together and answers the contract.
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { app, clipboard } from 'electron'
import type { AppState, EventPayload, OpenWorkspace, Params, StudioEvent } from '../../shared/contract.ts'
import { StudioError, toErrorRecord } from '../../shared/errors.ts'
import type { DeviceName, HardwareReport } from '../../shared/hardware.ts'
import type { RunView } from '../../shared/runView.ts'
import type { Appearance } from '../../shared/settings.ts'
import { sweepMethods } from '../../shared/sweepMethods.ts'
import { catalogueMethods, libraryMethods } from '../../shared/workerProtocol.ts'
import { runsOfSweep } from '../db/sweeps.ts'
import { type ChannelHandlers, done } from '../ipc.ts'
import { logger } from '../log.ts'
import { showFolder } from '../security.ts'
import { WorkerClient } from '../worker/workerClient.ts'
import { answerHandlers } from './answerHandlers.ts'
import { Catalogue } from './catalogue.ts'
import { Describes } from './describes.ts'
import { askAnnotationFile, askModelFolder, askNewWorkspace, askWorkspace } from './dialogs.ts'
import { Engine } from './engine.ts'
import { evaluationHandlers } from './evaluationHandlers.ts'
import { Evaluations } from './evaluations.ts'
import { Everywhere } from './everywhere.ts'
import { ImageFiles } from './imageFiles.ts'
import { ImageLibrary } from './imageLibrary.ts'
import { libraryHandlers } from './libraryHandlers.ts'
import { ModelLibrary } from './modelLibrary.ts'
import { Notices } from './notices.ts'
import { backupOf, fullPath } from './pagePaths.ts'
import { checkpointViews } from './responseViews.ts'
import { RunChecks } from './runChecks.ts'
import { RunFiles } from './runFiles.ts'
import { RunQueue } from './runQueue.ts'
import { savePicture } from './savePicture.ts'
import type { SettingsFile } from './settingsFile.ts'
import { SweepFolders } from './sweepFolders.ts'
import { Sweeps } from './sweeps.ts'
import { Votes } from './votes.ts'
import { startWorkerProcess } from './workerProcess.ts'
import { Workspaces } from './workspaces.ts'

/** Why a run would have to stop: the app ends, its workspace closes, another one takes its place. */
export type LeavePurpose = 'quit' | 'close' | 'open'

export interface StudioOptions {
  readonly settings: SettingsFile
  readonly logFolder: string
  /** The folder with `samples/images`, `lexicons` and `demo-model`. */
  readonly resources: string
  /** For runs, in place of the fastest device that is right; null for that. */
  readonly device: DeviceName | null
  readonly broadcast: <E extends StudioEvent>(event: E, payload: EventPayload<E>) => void
  /** Called when what the menu shows may have changed. */
  readonly onStateChanged: () => void
  /** Called when a run may have begun, gone on or ended. */
  readonly onRunsChanged: () => void
  /** What the window shows in a part of its page, as PNG. */
  readonly picture: (area: Params<'app.savePicture'>['area']) => Promise<Buffer>
  /** Asks whether a run that is under way may stop for now. */
  readonly askToStop: (run: RunView, purpose: LeavePurpose) => Promise<boolean>
}

export class Studio {
  readonly engine: Engine
  readonly workspaces: Workspaces
  readonly images: ImageLibrary
  readonly catalogue: Catalogue
  readonly imageFiles: ImageFiles
  readonly models: ModelLibrary
  readonly runs: RunQueue
  readonly sweepFolders: SweepFolders
  readonly sweeps: Sweeps
  readonly describes: Describes
  readonly evaluations: Evaluations
  readonly votes: Votes
  readonly notices: Notices
  readonly everywhere: Everywhere
  readonly checks: RunChecks
  readonly runFiles: RunFiles
  readonly handlers: ChannelHandlers
  readonly #options: StudioOptions
  readonly #library: WorkerClient<typeof libraryMethods>
  readonly #catalogueProcess: WorkerClient<typeof catalogueMethods>
  #stateTimer: NodeJS.Timeout | null = null
  #isAsking = false
  #openingDemo: Promise<OpenWorkspace | null> | null = null

  constructor(options: StudioOptions) {
    this.#options = options
    const changed = (): void => this.#stateChanged()
    this.engine = new Engine({ onChange: changed, spawn: () => startWorkerProcess('engine'), log: logger.warn })
    this.#library = new WorkerClient({
      name: 'library',
      area: 'workspace',
      methods: libraryMethods,
      spawn: () => startWorkerProcess('library'),
      log: logger.warn,
    })
    this.#catalogueProcess = new WorkerClient({
      name: 'catalogue',
      area: 'workspace',
      methods: catalogueMethods,
      spawn: () => startWorkerProcess('catalogue'),
      log: logger.warn,
    })
    this.everywhere = new Everywhere({
      ...{ settings: options.settings, engine: this.engine, broadcast: options.broadcast },
      ...{
        runs: () => this.runs,
        images: () => this.images,
        describes: () => this.describes,
        evaluations: () => this.evaluations,
        onSettingsChanged: changed,
      },
    })
    this.workspaces = new Workspaces({
      library: this.#library,
      settings: options.settings,
      activities: this.everywhere.activities,
      appVersion: app.getVersion(),
      onOpened: (current) => {
        this.images.resumeInterrupted(current)
        this.sweepFolders.begin(current)
      },
      onClosing: async () =>
        void (await Promise.all([
          this.images.pauseAll(),
          this.imageFiles.cancel(),
          this.runs.suspend(),
          this.describes.suspend(),
          this.checks.cancel(),
          this.evaluations.suspend(),
          this.sweepFolders.suspend(),
        ])),
      onLost: async () =>
        void (await Promise.all([
          this.images.abandonAll(),
          this.imageFiles.cancel(),
          this.runs.abandon(),
          this.describes.abandon(),
          this.evaluations.abandon(),
          this.sweepFolders.suspend(),
        ])),
      onLettingGo: () => this.catalogue.close(),
      onError: (error) => this.#tellError(error),
      onChange: changed,
    })
    const imagesChanged = (): void => {
      options.broadcast('images.changed', {})
      changed()
    }
    this.images = new ImageLibrary({
      library: this.#library,
      workspaces: this.workspaces,
      onImportChanged: (importId, live) => {
        options.broadcast('images.importChanged', { importId, live })
        this.everywhere.activities.changed()
        changed()
      },
      onLaid: imagesChanged,
      onError: (error) => this.#tellError(new StudioError(error)),
    })
    this.catalogue = new Catalogue({
      ...{ client: this.#catalogueProcess, workspaces: this.workspaces, onChanged: imagesChanged },
    })
    this.imageFiles = new ImageFiles({
      ...{ library: this.#library, workspaces: this.workspaces, onChanged: imagesChanged },
      activities: this.everywhere.activities,
      onProgress: (progress) => options.broadcast('images.relinkProgress', progress),
    })
    this.models = new ModelLibrary({
      engine: this.engine.client,
      activities: this.everywhere.activities,
      workspaces: this.workspaces,
      resources: options.resources,
    })
    const lexicon = ({ isDemo }: { isDemo: boolean }): string =>
      join(options.resources, 'lexicons', isDemo ? 'scene-objects.json' : 'coco-objects.json')
    const device = (): DeviceName | null => options.device ?? this.everywhere.settings.view().deviceInUse
    const threads = (): number | null => options.settings.get().threads
    const hardware = (): HardwareReport | null => {
      const report = this.engine.hardware.hardware
      return report && { ...report, chosen: device() ?? report.chosen }
    }
    const runChanged = (change: EventPayload<'runs.changed'>): void => {
      options.broadcast('runs.changed', change)
      this.everywhere.activities.changed()
      options.onRunsChanged()
      this.describes?.look()
      this.evaluations?.look()
    }
    this.runs = new RunQueue({
      engine: this.engine.client,
      ...{ hardware, threads, lexicon },
      workspaces: this.workspaces,
      // A check beside a run would make both slower, and its figures wrong.
      makeWay: () => this.checks.cancel(),
      backUp: ({ path }) => this.workspaces.backUp(path),
      onRunChanged: runChanged,
    })
    const sweepsChanged = (): void => options.broadcast('sweeps.changed', {})
    this.sweepFolders = new SweepFolders({
      client: new WorkerClient({
        ...{ name: 'sweeps', area: 'run', methods: sweepMethods, log: logger.warn },
        spawn: () => startWorkerProcess('sweeps'),
      }),
      ...{ workspaces: this.workspaces, activities: this.everywhere.activities, onChanged: sweepsChanged },
      onCollected: (sweepId) => {
        const { shown } = this.workspaces
        const [run] = shown ? runsOfSweep(shown.db, sweepId) : []
        if (run) runChanged({ runId: run.runId, live: null, isOnlyProgress: false })
        imagesChanged()
      },
    })
    this.sweeps = new Sweeps({
      ...{ workspaces: this.workspaces, folders: this.sweepFolders, onChanged: sweepsChanged },
      ...{ lexicon, threads, device: () => hardware()?.chosen ?? null },
      onRunsMade: (runId) => {
        runChanged({ runId, live: null, isOnlyProgress: false })
        this.runs.look()
      },
      evaluate: (requests, again) => this.evaluations.createAll(requests, again),
    })
    this.describes = new Describes({
      engine: this.engine.client,
      ...{ device: () => hardware()?.chosen ?? null, threads, lexicon },
      workspaces: this.workspaces,
      runUnderWay: () => this.runs.nameOfActive(),
      onChanged: (view) => {
        options.broadcast('describe.changed', view)
        this.evaluations?.look()
        this.everywhere.activities.changed()
      },
    })
    this.checks = new RunChecks({
      ...{ engine: this.engine.client, workspaces: this.workspaces, activities: this.everywhere.activities },
      ...{ device, threads, lexicon, isRunUnderWay: () => this.runs.underWay() !== null },
      onProgress: (progress) => options.broadcast('runs.checkProgress', progress),
    })
    this.evaluations = new Evaluations({
      engine: this.engine.client,
      ...{ device: () => hardware()?.chosen ?? null, threads, lexicon },
      workspaces: this.workspaces,
      runUnderWay: () => this.runs.nameOfActive(),
      isAsked: () => this.describes.isAsked,
      onChanged: (view) => {
        options.broadcast('evaluations.changed', view)
        this.everywhere.activities.changed()
      },
      onDeleted: (evaluationId) => {
        options.broadcast('evaluations.deleted', { evaluationId })
        this.everywhere.activities.changed()
      },
    })
    this.votes = new Votes(this.workspaces)
    this.notices = new Notices(() => options.broadcast('app.noticed', {}))
    this.runFiles = new RunFiles(this)
    this.handlers = this.#makeHandlers()
  }

  /** Starts the worker processes. */
  start(): void {
    this.#library.start()
    this.#catalogueProcess.start()
    this.engine.start()
  }

  /** Closes the workspace and ends the worker processes. */
  async shutDown(): Promise<void> {
    // A large file may be under way for minutes before it is open; there is nothing to close in it yet.
    if (this.workspaces.isPreparing) this.#library.stop()
    await this.workspaces.close()
    if (this.#stateTimer) clearTimeout(this.#stateTimer)
    this.everywhere.stop()
    this.engine.stop()
    this.#library.stop()
    this.#catalogueProcess.stop()
  }

  state(): AppState {
    return {
      version: app.getVersion(),
      platform: process.platform,
      appearance: this.#options.settings.get().appearance,
      workspace: this.workspaces.describe(),
      recentWorkspaces: this.workspaces.recent(),
      unfinishedRuns: this.#options.settings
        .get()
        .unfinishedRuns.filter(({ path }) => path !== this.workspaces.current?.path),
      engine: this.engine.client.status,
      ...this.engine.hardware,
    }
  }

  setAppearance(appearance: Appearance): void {
    this.everywhere.settings.set({ appearance })
  }

  async pickNewWorkspace(): Promise<OpenWorkspace | null> {
    const path = await askNewWorkspace()
    return path === null ? null : await this.#instead(path, () => this.workspaces.create(path))
  }

  async pickWorkspace(): Promise<OpenWorkspace | null> {
    const path = await askWorkspace()
    return path === null ? null : await this.openWorkspace(path)
  }

  /** Opens a workspace in the place of the one that is open; null when its run shall not stop for that. */
  openWorkspace(path: string): Promise<OpenWorkspace | null> {
    return this.#instead(path, () => this.workspaces.open(path))
  }

  async closeWorkspace(): Promise<void> {
    if (await this.mayLeave('close')) await this.workspaces.close()
  }

  /** Opens the workspace in which a run waits, so that it goes on. */
  goOn(path: string): Promise<OpenWorkspace | null> {
    const waiting = this.#options.settings.get().unfinishedRuns.find((one) => one.path === path)
    return this.#instead(path, () => this.workspaces.open(path, waiting?.isDemo ?? false))
  }

  #forgetUnfinished(path: string): void {
    const { settings } = this.#options
    settings.update({ unfinishedRuns: settings.get().unfinishedRuns.filter((one) => one.path !== path) })
    this.#stateChanged()
  }

  /** Whether nothing is under way, or a person agrees that it stops for now. One question at a time. */
  async mayLeave(purpose: LeavePurpose): Promise<boolean> {
    const run = this.runs.underWay()
    if (!run) return true
    if (this.#isAsking) return false
    this.#isAsking = true
    try {
      return await this.#options.askToStop(run, purpose)
    } finally {
      this.#isAsking = false
    }
  }

  /** Does what takes the place of the open workspace, unless its run shall not stop for that. */
  async #instead<T>(path: string, work: () => Promise<T>): Promise<T | null> {
    const isOpen = this.workspaces.current?.path === path
    return isOpen || (await this.mayLeave('open')) ? await work() : null
  }

  /** Opens the demo: a workspace of the app's own with the sample images; made at the first time. Asked twice, once. */
  openDemo(path = join(app.getPath('userData'), 'demo', 'Demo.fisao')): Promise<OpenWorkspace | null> {
    this.#openingDemo ??= this.#instead(path, () => this.#openDemo(path)).finally(() => {
      this.#openingDemo = null
    })
    return this.#openingDemo
  }

  async #openDemo(path: string): Promise<OpenWorkspace> {
    const exists = existsSync(path)
    mkdirSync(dirname(path), { recursive: true })
    const workspace = exists ? await this.workspaces.open(path, true) : await this.workspaces.create(path, true)
    if (this.images.imports().length === 0) {
      this.images.importFolder(join(this.#options.resources, 'samples', 'images'))
    }
    return workspace
  }

  async pickModelFolder(purpose: 'model' | 'encoder'): Promise<{ folder: string } | null> {
    const folder = await askModelFolder(purpose)
    return folder === null ? null : { folder }
  }

  async pickAnnotations(): Promise<{ path: string } | null> {
    const path = await askAnnotationFile()
    return path === null ? null : { path }
  }

  #makeHandlers(): ChannelHandlers {
    const { workspaces, models, runs, engine } = this
    return {
      ...this.everywhere.handlers(),
      ...this.checks.handlers(),
      ...libraryHandlers(this),
      ...answerHandlers(this),
      ...evaluationHandlers(this),
      ...this.runFiles.handlers(),
      ...this.sweeps.handlers(),
      'app.state': () => this.state(),
      'app.setAppearance': ({ appearance }) => done(this.setAppearance(appearance)),
      'app.showLogs': () => done(showFolder(this.#options.logFolder)),
      'app.copyText': ({ text }) => done(clipboard.writeText(text)),
      'app.savePicture': ({ name, area }) => savePicture(name, () => this.#options.picture(area)),
      'app.notices': () => this.notices.take(),
      'workspace.create': () => this.pickNewWorkspace(),
      'workspace.open': () => this.pickWorkspace(),
      'workspace.openRecent': ({ path }) => this.openWorkspace(fullPath('workspace', path)),
      'workspace.openForReading': ({ path }) => {
        const full = fullPath('workspace', path)
        return this.#instead(full, () => workspaces.openForReading(full))
      },
      'workspace.goOn': ({ path }) => this.goOn(fullPath('workspace', path)),
      'workspace.forgetUnfinished': ({ path }) => done(this.#forgetUnfinished(path)),
      'workspace.forgetRecent': ({ path }) => done(workspaces.forget(path)),
      'workspace.openDemo': () => this.openDemo(),
      'workspace.close': () => done(this.closeWorkspace()),
      'workspace.backups': ({ path }) => this.#library.request('listBackups', { path: fullPath('workspace', path) }),
      'workspace.inspectDamage': ({ path }) =>
        this.#library.request('inspectDamage', { path: fullPath('workspace', path) }),
      'workspace.salvage': ({ path }) => {
        const full = fullPath('workspace', path)
        return this.#instead(full, () => workspaces.salvage(full))
      },
      'workspace.restore': ({ path, backup }) => {
        const full = fullPath('workspace', path)
        const chosen = backupOf(full, backup)
        return this.#instead(full, () => workspaces.restore(full, chosen))
      },
      'models.list': () => models.list(),
      'models.pickFolder': ({ purpose }) => this.pickModelFolder(purpose),
      'models.add': ({ folder, companionFolder }) =>
        models.add(fullPath('model', folder), companionFolder && fullPath('model', companionFolder)),
      'models.addDemo': () => models.addDemo(),
      'models.remove': ({ modelId }) => done(models.remove(modelId)),
      'models.details': ({ modelId }) => models.details(modelId),
      'models.relink': ({ modelId, folder, companionFolder }) =>
        models.relink(modelId, fullPath('model', folder), companionFolder && fullPath('model', companionFolder)),
      'runs.list': () => runs.list(),
      'runs.get': ({ runId }) => runs.get(runId),
      'runs.metrics': ({ runId, names }) => runs.metrics(runId, names),
      'runs.create': (request) => runs.create(request),
      'runs.pickAnnotations': () => this.pickAnnotations(),
      'runs.createPlacebo': ({ runId }) => runs.createPlacebo(runId),
      'runs.pause': ({ runId }) => done(runs.pause(runId)),
      'runs.resume': ({ runId, goOnRefused }) => done(runs.resume(runId, { goOnRefused })),
      'runs.stop': ({ runId }) => done(runs.stop(runId)),
      'runs.delete': ({ runId }) => done(runs.delete(runId)),
      'runs.checkpoints': ({ runId }) => ({ checkpoints: checkpointViews(workspaces.requireShown().db, runId) }),
      'runs.pin': ({ runId, step, isPinned }) => done(runs.pin(runId, step, isPinned)),
      'runs.use': ({ runId, step }) => done(runs.use(runId, step)),
      'runs.rename': ({ runId, name }) => done(runs.rename(runId, name)),
      'engine.restart': () => done(engine.start()),
      'hardware.probe': () => {
        void engine.probe()
        return {}
      },
    }
  }

  /** Tells window and menu, at most ten times a second: an import reports far more often than a person can read. */
  #stateChanged(): void {
    this.runs?.look()
    this.describes?.look()
    this.everywhere?.activities.changed()
    this.evaluations?.look()
    this.#options.onRunsChanged()
    this.#stateTimer ??= setTimeout(() => {
      this.#stateTimer = null
      this.#options.broadcast('app.stateChanged', this.state())
      this.#options.onStateChanged()
    }, 100)
  }

  #tellError(thrown: unknown): void {
    const tell = (error: unknown): void => this.notices.tell({ about: 'error', error: toErrorRecord(error) })
    this.workspaces.explain(thrown).then(tell, tell)
  }

  /** Carries out a command of the menu; what goes wrong is shown in the window. */
  attempt(work: () => Promise<unknown>): void {
    work().catch((thrown: unknown) => this.#tellError(thrown))
  }
}
