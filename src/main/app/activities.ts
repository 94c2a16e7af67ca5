// Everything long that is under way or waits, for the activity tray. What has a list of its own (runs, imports) is read from
// it; other work says here when it begins and ends.
import type { Activity, ActivityKind } from '../../shared/activity.ts'
import { shownText } from '../../shared/shownText.ts'

/** An activity with what ends it; null when nothing can. */
export interface ListedActivity extends Omit<Activity, 'canCancel'> {
  readonly cancel: (() => void) | null
}

export interface ActivitiesOptions {
  /** Called with all of them, at most every `everyMs`. */
  readonly onChange: (activities: Activity[]) => void
  readonly everyMs?: number
  readonly now?: () => number
}

/** What a piece of work does with its entry. */
export interface ActivityHandle {
  /** @param share that is done, from 0 to 1; null when it cannot be known */
  progress(share: number | null, of?: { readonly detail?: string; readonly remainingMs?: number | null }): void
  end(): void
}

/** Time left follows from the share that is done; an estimate from less than this is none. */
const leastShare = 0.03
const leastMs = 2_000

export class Activities {
  readonly #options: Required<ActivitiesOptions>
  readonly #begun = new Map<string, ListedActivity>()
  readonly #sources: (() => readonly ListedActivity[])[] = []
  #nextNumber = 1
  #timer: NodeJS.Timeout | null = null

  constructor({ onChange, everyMs = 250, now = Date.now }: ActivitiesOptions) {
    this.#options = { onChange, everyMs, now }
  }

  /** Adds a list that somebody else keeps; `changed` is to be called when it changes. */
  addSource(list: () => readonly ListedActivity[]): void {
    this.#sources.push(list)
  }

  /** Work begins. Call `end` of the handle in a `finally`. */
  begin(work: { kind: ActivityKind; title: string; cancel?: () => void }): ActivityHandle {
    const { kind, title, cancel = null } = work
    const id = `${kind}-${this.#nextNumber++}`
    const startedAtMs = this.#options.now()
    const entry = { id, kind, title: shownText(title), startedAtMs, state: 'under-way' as const }
    this.#put({ ...entry, detail: null, share: null, remainingMs: null, cancel })
    return {
      progress: (share, { detail, remainingMs } = {}) => {
        const known = this.#begun.get(id)
        if (!known) return
        const left = remainingMs === undefined ? this.#timeLeft(startedAtMs, share) : remainingMs
        this.#put({ ...known, share, remainingMs: left, detail: detail ?? known.detail })
      },
      end: () => {
        if (this.#begun.delete(id)) this.changed()
      },
    }
  }

  /** Work that is an entry as long as it takes. */
  async during<Result>(
    work: { kind: ActivityKind; title: string; cancel?: () => void },
    task: (handle: ActivityHandle) => Promise<Result>,
  ): Promise<Result> {
    const handle = this.begin(work)
    try {
      return await task(handle)
    } finally {
      handle.end()
    }
  }

  list(): Activity[] {
    return this.#listed().map(({ cancel, ...activity }) => ({ ...activity, canCancel: cancel !== null }))
  }

  /** One that has ended meanwhile, or that nothing ends, is left alone. */
  cancel(id: string): void {
    const found = this.#listed().find((one) => one.id === id)
    if (!found?.cancel) return
    if (this.#begun.has(id)) this.#put({ ...found, state: 'ending', cancel: null })
    found.cancel()
  }

  /** Tells of the list soon. */
  changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.#options.onChange(this.list())
    }, this.#options.everyMs)
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  #put(activity: ListedActivity): void {
    this.#begun.set(activity.id, activity)
    this.changed()
  }

  /** What is under way first, by its beginning, then what waits. */
  #listed(): ListedActivity[] {
    const all = [...this.#begun.values(), ...this.#sources.flatMap((list) => list())]
    const started = ({ startedAtMs }: ListedActivity): number => startedAtMs ?? Number.POSITIVE_INFINITY
    return all.sort((a, b) => (started(a) === started(b) ? 0 : started(a) - started(b)))
  }

  #timeLeft(startedAtMs: number, share: number | null): number | null {
    const spentMs = this.#options.now() - startedAtMs
    if (share === null || share < leastShare || spentMs < leastMs) return null
    return (spentMs / share) * (1 - share)
  }
}
