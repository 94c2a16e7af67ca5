// Work on many values, a few at a time: what a folder of 100,000 files needs in place of one Promise.all, which would
// open them all at once. Used by the importer and by the engine.

/** `work` on each value, `atOnce` at a time, results in order. After a failure no further value is begun. */
export async function mapSome<T, R>(
  values: readonly T[],
  atOnce: number,
  work: (value: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(values.length)
  let next = 0
  async function worker(): Promise<void> {
    for (let index = next++; index < values.length; index = next++) {
      try {
        results[index] = await work(values[index] as T, index)
      } catch (error) {
        next = values.length
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, values.length) }, worker))
  return results
}
