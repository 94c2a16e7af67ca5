// Why images were left out of a run, as screens and reports say it.

/** Why an image was left out of a run (decodeImage.ts), for a person. */
export const skippedWords: Readonly<Record<string, string>> = {
  'image.missing': 'It is no longer where it was.',
  'image.unreadable': 'It could not be read.',
  'image.changed': 'It is no longer the file that was added.',
  'image.damaged': 'It is damaged or cut short.',
  'image.not-an-image': 'It is not an image.',
  'image.too-large': 'It is too large.',
}
