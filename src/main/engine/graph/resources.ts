// Sessions and files that are opened together: when one of them cannot be opened those that were are given back, and
// when one cannot be given back the others still are. Used by everything to the right that opens more than one.

export interface Releasable {
  release(): Promise<void>
}

/** Notes a thing that is being opened, so that it is released if what is opened after it fails. */
export type Keep = <T extends Releasable>(opening: Promise<T>) => Promise<T>

/** What `work` makes of the things that it opens through `keep`. @throws what `work` throws, after their release */
export async function openTogether<Result>(work: (keep: Keep) => Promise<Result>): Promise<Result> {
  const opened: Releasable[] = []
  try {
    return await work(async (opening) => {
      const one = await opening
      opened.push(one)
      return one
    })
  } catch (error) {
    // What went wrong first is what a person has to know; a release that fails too follows from it.
    await releaseAll(opened).catch(() => undefined)
    throw error
  }
}

/** Releases each, in their order. @throws the first failure, once all have been tried */
export async function releaseAll(things: Iterable<Releasable | null>): Promise<void> {
  const failures: unknown[] = []
  for (const thing of things) await thing?.release().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}
