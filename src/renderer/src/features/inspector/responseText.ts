// Responses as plain text for the clipboard: the text, then each object word with its verdict, score and change.
import type { ResponseWord } from '../../../../shared/responseWords.ts'
import { verdictNames } from '../../../../shared/verdict.ts'
import type { WordChange } from '../../../../shared/wordChanges.ts'

export interface CopiedResponse {
  /** Whose it is. */
  readonly title: string
  readonly text: string
  readonly words: readonly ResponseWord[]
  /** For each word; undefined when there is nothing to compare with. */
  readonly changes: readonly WordChange[] | undefined
}

export function copiedText(imageName: string, question: string, responses: readonly CopiedResponse[]): string {
  return [`${imageName}\nQuestion: ${question}`, ...responses.map(responseText)].join('\n\n')
}

function responseText({ title, text, words, changes }: CopiedResponse): string {
  const lines = words.map(({ name, verdict, score, index }) => {
    const change = changes?.[index] ?? 'kept'
    const facts = [
      verdict === null ? 'not judged' : verdictNames[verdict],
      ...(score === null ? [] : [`score ${score.toFixed(3)}`]),
      ...(change === 'kept' ? [] : [change]),
    ]
    return `- ${name}: ${facts.join(', ')}`
  })
  return [title, text, ...lines].join('\n')
}
