// Why an image was left out of a run (engine/image/decodeImage.ts), as screens and reports say it.

const skippedWords: Readonly<Record<string, string>> = {
  'image.missing': 'It is no longer where it was.',
  'image.unreadable': 'It could not be read.',
  'image.changed': 'It is no longer the file that was added.',
  'image.damaged': 'It is damaged or cut short.',
  'image.not-an-image': 'It is not an image.',
  'image.too-large': 'It is too large.',
}

/** @param code as the workspace holds it: whatever a file may say */
export function skippedReason(code: string): string {
  return (Object.hasOwn(skippedWords, code) && skippedWords[code]) || 'It could not be read.'
}
