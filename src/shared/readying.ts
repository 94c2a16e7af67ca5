// What a person reads while a model is made ready: its weights are written in the numbers that this computer works with
// (engine/models/baseFile.ts), which takes minutes where a model is large, once.

/** What a model that is being opened does. @param readied share that is made ready; null when it is read as it is */
export function openingWords(readied: number | null): string {
  return readied === null ? 'Opening the model' : readyingWords(readied)
}

export function readyingWords(share: number): string {
  return `Making the model ready, once: ${Math.floor(100 * share)} %`
}
