// Parts a batch into micro-batches: rows of one are padded to its longest, so those of like length stand together.
// Asked by responseScores.ts and optimiser/epochs.ts.

/**
 * Places of the examples of each micro-batch, the longest ones first: of several threads, none is then left alone with a
 * long one at the end. A batch that is one micro-batch keeps its order.
 * @param length of an example's row
 */
export function microBatches<Example>(
  examples: readonly Example[],
  size: number,
  length: (example: Example) => number,
): number[][] {
  const places = examples.map((_, place) => place)
  const lengths = examples.map(length)
  if (places.length > size) places.sort((a, b) => (lengths[b] as number) - (lengths[a] as number) || a - b)
  return Array.from({ length: Math.ceil(places.length / size) }, (_, i) => places.slice(i * size, (i + 1) * size))
}
