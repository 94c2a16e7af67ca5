// Reads a lexicon of object words, ours or a person's own. After it stands reward/lexicon.ts, which knows what it means.
import { readFile } from 'node:fs/promises'
import { parseJson } from '../folder/json.ts'
import { type Lexicon, lexiconError, lexiconOf } from '../reward/lexicon.ts'

/**
 * Reads a lexicon file.
 * @throws StudioError `run.lexicon` when it cannot be read, is no lexicon, or gives a word to two objects
 */
export async function readLexicon(path: string): Promise<Lexicon> {
  let parsed: unknown
  try {
    parsed = parseJson(await readFile(path, 'utf8'))
  } catch (cause) {
    throw lexiconError('The lexicon of object words cannot be read.', path, { expected: 'a JSON file' }, cause)
  }
  return lexiconOf(parsed, path)
}
