// The prompt of a model for one image and one question: its chat template, or Vicuna's words for models without one,
// and a place in the ids for each row of the image's features. Before it stands tokenizer.ts, after it the rollout's prefill.
import { basename, join } from 'node:path'
import { Environment, Interpreter, Template } from '@huggingface/jinja'
import { z } from 'zod'
import { StudioError } from '../../../shared/errors.ts'
import { withDeadline } from './deadline.ts'
import type { Encoding, Tokenizer } from './tokenizer.ts'
import { readJson, readText, readTokenizerSettings, tokenizerError } from './tokenizerFile.ts'

/** What a hostile template may cost; honest ones take a few milliseconds. */
const longestRunMs = 200
const longestTemplate = 200_000
const longestPrompt = 200_000
/** The most that `range` counts to in a template. */
const longestRange = 10_000

/** Where transformers keeps the template of a processor; the first that exists is the model's. */
const templateFiles = ['chat_template.json', 'processor_config.json', 'tokenizer_config.json'] as const
const namedTemplates = z.array(z.looseObject({ name: z.string(), template: z.string() }))
const templateSchema = z.looseObject({ chat_template: z.union([z.string(), namedTemplates]).nullish() })

/**
 * Opens the chat template of a model folder.
 * @throws StudioError `tokenizer.bad-template` when it does not parse or does not place image and question,
 *   `tokenizer.no-image-token`, and what reading its files throws
 */
export async function openChatTemplate(folder: string, tokenizer: Tokenizer): Promise<ChatTemplate> {
  const found = await findTemplate(folder)
  const path = found?.path ?? join(folder, 'tokenizer_config.json')
  const { specialTokens } = await readTokenizerSettings(folder)
  return new ChatTemplate(path, found?.source ?? null, tokenizer, specialTokens)
}

async function findTemplate(folder: string): Promise<{ path: string; source: string } | null> {
  const file = await readText(folder, 'chat_template.jinja')
  if (file !== null) return { path: join(folder, 'chat_template.jinja'), source: file }
  for (const name of templateFiles) {
    const raw = await readJson(folder, name)
    if (raw === null) continue
    const path = join(folder, name)
    const parsed = templateSchema.safeParse(raw)
    if (!parsed.success) throw badTemplate(path, 'Its field chat_template is neither text nor a list of templates.')
    const template = parsed.data.chat_template
    if (typeof template === 'string') return { path, source: template }
    if (!template || template.length === 0) continue
    const named = template.find((each) => each.name === 'default')
    if (!named) throw badTemplate(path, 'None of its chat templates is named "default".')
    return { path, source: named.template }
  }
  return null
}

/** A question as a message to the model, in the two forms in which templates expect its content. */
type Content = string | { type: 'image' | 'text'; text?: string }[]

/** What stands in the prompt for an image. */
export interface ImagePlace {
  /** Of the model's image token in it: one for each row of the image's features. */
  readonly tokens: number
  /** @param imageToken the image token as text */
  readonly promptText: (imageToken: string) => string
}

/** The prompts of one model. */
export class ChatTemplate {
  readonly #path: string
  readonly #tokenizer: Tokenizer
  readonly #imageToken: string
  readonly #imageId: number
  readonly #variables: Readonly<Record<string, string>>
  /** Null for a model without a template. */
  readonly #template: Template | null

  /**
   * @param path the file to name in errors
   * @param source the template; null for Vicuna's style, which LLaVA-1.5 was trained with
   * @param variables special tokens by their names, for the template
   * @throws StudioError `tokenizer.bad-template`, `tokenizer.no-image-token`
   */
  constructor(path: string, source: string | null, tokenizer: Tokenizer, variables: Readonly<Record<string, string>>) {
    this.#path = path
    this.#tokenizer = tokenizer
    this.#variables = variables
    const imageId = tokenizer.special.image
    const imageToken = imageId === undefined ? undefined : tokenizer.tokenOf(imageId)
    if (imageId === undefined || imageToken === undefined) {
      throw tokenizerError('no-image-token', path, 'The vocabulary has no token for the image, such as <image>.', {
        remedy: 'Choose a vision-language model that Hugging Face transformers opens.',
      })
    }
    this.#imageId = imageId
    this.#imageToken = imageToken
    this.#template = source === null ? null : this.#parse(source)
    this.text('What is in the picture?')
  }

  /**
   * The prompt for one image and this question; the image's token stands in it once.
   * @throws StudioError `tokenizer.bad-question` when the question holds the image's token, `tokenizer.bad-template`
   */
  text(question: string): string {
    if (question.includes(this.#imageToken)) {
      throw new StudioError({
        code: 'tokenizer.bad-question',
        message: `The question holds the marker ${this.#imageToken}, which stands for the image.`,
        remedy: 'Take the marker out of the question; the image is added to it by itself.',
      })
    }
    // Source: conv_vicuna_v1 of github.com/haotian-liu/LLaVA, as the model card of llava-hf/llava-1.5-7b-hf spells it.
    if (this.#template === null) return `USER: ${this.#imageToken}\n${question} ASSISTANT:`
    const template = this.#template
    try {
      return withDeadline(longestRunMs, () => this.#renderWhole(template, question))
    } catch (cause) {
      throw badTemplate(this.#path, `It fails with: ${String(cause).slice(0, 200)}.`, cause)
    }
  }

  /**
   * Ids of the prompt for a question and an image of this place.
   * @throws StudioError as {@link text}, and `tokenizer.bad-template` when the ids hold another count of image tokens
   */
  promptIds(question: string, image: ImagePlace): number[] {
    return [...this.promptEncoding(question, image).ids]
  }

  /**
   * The prompt as transformers' processors make it: the image's token is replaced by what stands for the image, then the
   * text is encoded with its special tokens, unless it begins with the first of them already. Offsets are of `text`.
   * @throws StudioError as {@link promptIds}
   */
  promptEncoding(question: string, { tokens, promptText }: ImagePlace): Encoding & { readonly text: string } {
    const written = this.text(question)
    const text = written.replace(this.#imageToken, () => promptText(this.#imageToken))
    // `apply_chat_template` of transformers' processors decides by the written prompt; without a template there is none.
    const bos = this.#template === null ? '' : (this.#variables['bos_token'] ?? '')
    const addSpecialTokens = bos === '' || !written.startsWith(bos)
    const encoding = this.#tokenizer.encode(text, { addSpecialTokens })
    const count = encoding.ids.filter((id) => id === this.#imageId).length
    if (count === tokens) return { ...encoding, text }
    throw badTemplate(this.#path, `The prompt holds ${count} places for an image of ${tokens}.`)
  }

  #parse(source: string): Template {
    if (source.length > longestTemplate)
      throw badTemplate(this.#path, `It is longer than ${longestTemplate} characters.`)
    // Nothing that a prompt needs is that large; an indent or a repetition of it would fill the memory in one step.
    if (/\d{7}/.test(source)) throw badTemplate(this.#path, 'It uses a number of seven digits or more.')
    try {
      return withDeadline(longestRunMs, () => new Template(source))
    } catch (cause) {
      throw badTemplate(this.#path, `It cannot be read: ${String(cause).slice(0, 200)}.`, cause)
    }
  }

  /** The prompt with the content in parts, as LLaVA's templates want it, or else as one text. */
  #renderWhole(template: Template, question: string): string {
    const parts: Content = [{ type: 'image' }, { type: 'text', text: question }]
    let failure: unknown = new Error('it does not place the image and the question exactly once')
    for (const content of [parts, `${this.#imageToken}\n${question}`]) {
      try {
        const prompt = this.#render(template, content)
        if (prompt.split(this.#imageToken).length === 2 && prompt.includes(question.trim())) return prompt
      } catch (cause) {
        failure = cause
      }
    }
    throw failure
  }

  #render(template: Template, content: Content): string {
    const scope = templateScope({
      ...this.#variables,
      messages: [{ role: 'user', content }],
      add_generation_prompt: true,
    })
    const { value } = new Interpreter(scope).run(template.parsed)
    if (typeof value !== 'string') throw new Error('it gives no text')
    if (value.length > longestPrompt) throw new Error(`its prompt is longer than ${longestPrompt} characters`)
    return value
  }
}

/**
 * What a template sees. Unlike transformers' it has no `strftime_now`: a prompt must not depend on the day; templates
 * that ask for the date have a fixed one for that case. `range` is bounded.
 */
function templateScope(variables: Readonly<Record<string, unknown>>): Environment {
  const scope = new Environment()
  const all: Record<string, unknown> = {
    true: true,
    True: true,
    false: false,
    False: false,
    none: null,
    None: null,
    raise_exception: (message: unknown) => {
      throw new Error(String(message))
    },
    range: boundedRange,
    ...variables,
  }
  for (const [name, value] of Object.entries(all)) scope.set(name, value)
  return scope
}

function boundedRange(first: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, first] : [first, stop]
  const count = Math.max(Math.ceil((to - from) / step), 0)
  if (!(count <= longestRange)) throw new Error(`range of more than ${longestRange} numbers`)
  return Array.from({ length: count }, (_, index) => from + index * step)
}

function badTemplate(path: string, what: string, cause?: unknown): StudioError {
  return new StudioError(
    {
      code: 'tokenizer.bad-template',
      message: `The chat template of this model (${basename(path)}) cannot be used. ${what}`,
      remedy: 'Copy the model again, or choose a model whose template takes one image and one question.',
      where: path,
    },
    { cause },
  )
}
