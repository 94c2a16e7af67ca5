// Prompts and their ids are those of transformers' LlavaProcessor; templates that cannot be used are refused in time.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openChatTemplate } from './chatTemplate.ts'
import { openTokenizer } from './tokenizer.ts'

const fixtures = join(import.meta.dirname, '../../../../tools/parity/fixtures')
const folder = mkdtempSync(join(tmpdir(), 'fisao-template-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Expected {
  questions: string[]
  prompts: { text: string; input_ids: number[]; image_token_count: number }[]
}

const places = (tokens: number) => ({ tokens, promptText: (token: string) => token.repeat(tokens) })

const names = ['clip-llama', 'clip-llama-bf16', 'clip-llama-linear', 'clip-mistral', 'siglip-qwen2']
const others = ['llava-qwen3', 'llava-phi3', 'llava-gemma2']
test.each([...names, ...others])('%s: prompts and expanded ids', async (name) => {
  const { questions, prompts } = JSON.parse(readFileSync(join(fixtures, name, 'expected.json'), 'utf8')) as Expected
  const tokenizer = await openTokenizer(join(fixtures, name))
  const template = await openChatTemplate(join(fixtures, name), tokenizer)
  expect(questions).toHaveLength(2)
  questions.forEach((question, index) => {
    expect(template.text(question)).toBe(prompts[index]?.text)
    // The fixture's written prompts were encoded as any text, where a begin token in them is a second one;
    // `apply_chat_template` leaves it out (models/agreement.test.ts).
    const ids = prompts[index]?.input_ids ?? []
    const expected = ['clip-mistral', 'llava-gemma2'].includes(name) ? ids.slice(1) : ids
    expect(template.promptIds(question, places(prompts[index]?.image_token_count ?? 0))).toEqual(expected)
  })
})

test('a prompt with another number of places than the image has rows is refused', async () => {
  const folder = join(fixtures, 'clip-llama')
  const template = await openChatTemplate(folder, await openTokenizer(folder))
  for (const tokens of [2, 4]) {
    const image = { tokens, promptText: (token: string) => token.repeat(3) }
    expect(() => template.promptIds('Why?', image)).toThrow(
      expect.objectContaining({
        code: 'tokenizer.bad-template',
        message: expect.stringContaining(`3 places for an image of ${tokens}`),
      }),
    )
  }
})

let number = 0
/** A folder with Qwen2's tokenizer and these files. */
function modelWith(files: Record<string, unknown>): string {
  const model = join(folder, `${number++}`)
  mkdirSync(model)
  copyFileSync(join(fixtures, 'siglip-qwen2/tokenizer.json'), join(model, 'tokenizer.json'))
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(model, name), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return model
}

async function promptOf(files: Record<string, unknown>, question = 'Why?'): Promise<string> {
  const model = modelWith(files)
  return (await openChatTemplate(model, await openTokenizer(model))).text(question)
}

const placing = (before: string): string =>
  `{% for m in messages %}${before}{% for c in m.content %}{% if c.type == 'image' %}<image>{% else %}{{ c.text }}{% endif %}{% endfor %}{% endfor %}`

describe('the template', () => {
  test('is sought where transformers keeps it, in its order', async () => {
    const all = {
      'chat_template.jinja': placing('1 '),
      'chat_template.json': { chat_template: placing('2 ') },
      'processor_config.json': { chat_template: placing('3 ') },
      'tokenizer_config.json': {
        chat_template: [
          { name: 'tool_use', template: 'none' },
          { name: 'default', template: placing('4 ') },
        ],
      },
    }
    for (const order of ['1', '2', '3', '4']) {
      expect(await promptOf(all)).toBe(`${order} <image>Why?`)
      Reflect.deleteProperty(all, Object.keys(all)[0] ?? '')
    }
    expect(await promptOf(all)).toBe('USER: <image>\nWhy? ASSISTANT:')
  })

  test('may take the content as one text, special tokens and control of blocks included', async () => {
    const template =
      "{% for m in messages -%}\n[{{ m['role'] }}] {{ m['content'] | trim }}{{ eos_token }}\n{% endfor %}"
    const files = { 'chat_template.jinja': template, 'tokenizer_config.json': { eos_token: '<|im_end|>' } }
    expect(await promptOf(files)).toBe('[user] <image>\nWhy?<|im_end|>\n')
  })

  test('counts by steps', async () => {
    const template = `{% for i in range(1, 8, 3) %}{{ i }}{% endfor %}{% for i in range(2) %}{{ i }}{% endfor %}${placing('')}`
    expect(await promptOf({ 'chat_template.jinja': template })).toBe('14701<image>Why?')
  })

  test('sees no date', async () => {
    const template = `{% if strftime_now is defined %}today{% else %}always {% endif %}${placing('')}`
    expect(await promptOf({ 'chat_template.jinja': template })).toBe('always <image>Why?')
  })

  test('a question that is itself a template or a marker stays text, and the marker of the image is refused', async () => {
    expect(await promptOf({ 'chat_template.jinja': placing('') }, '{{ messages }} $& {% x')).toBe(
      '<image>{{ messages }} $& {% x',
    )
    await expect(promptOf({ 'chat_template.jinja': placing('') }, 'a <image>?')).rejects.toMatchObject({
      code: 'tokenizer.bad-question',
    })
  })
})

describe('a template that cannot be used is refused', () => {
  const nested = '{% for a in range(9999) %}'.repeat(4) + '{% endfor %}'.repeat(4)
  test.each([
    ['does not parse', '{% if %}'],
    ['does not end', '{% for m in messages %}'],
    ['places no image', '{{ messages[0].content[1].text }}'],
    ['places two images', `<image>${placing('')}`],
    ['leaves the question out', '<image>'],
    ['raises', "{{ raise_exception('No images!') }}"],
    ['loops for ever', `${nested}${placing('')}`],
    ['names a number of seven digits', `{% if 1234567 %}{% endif %}${placing('')}`],
    ['is too long', `{# ${'x'.repeat(200_000)} #}${placing('')}`],
    ['makes a prompt that is too long', `{% for i in range(9000) %}${'x'.repeat(30)}{% endfor %}${placing('')}`],
    ['counts further than range may', `{% for i in range(10001) %}{% endfor %}${placing('')}`],
    ['counts too far', `{% for i in range(0, 1000000000) %}{% endfor %}${placing('')}`],
    ['calls itself', `{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}${placing('')}`],
    [
      'never stops growing',
      `{% set ns = namespace(t='a') %}{% for i in range(99) %}{% set ns.t = ns.t + ns.t %}{% endfor %}`,
    ],
    ['calls what is not there', `{{ nothing.at.all() }}${placing('')}`],
    ['reaches for JavaScript', `{{ messages.constructor.constructor('return process')() }}${placing('')}`],
  ])('%s', async (_, template) => {
    // As soon as it is opened, not at the first question.
    const model = modelWith({ 'chat_template.jinja': template })
    await expect(openChatTemplate(model, await openTokenizer(model))).rejects.toMatchObject({
      code: 'tokenizer.bad-template',
    })
    await expect(promptOf({ 'chat_template.jinja': template })).rejects.toMatchObject({
      name: 'StudioError',
      code: 'tokenizer.bad-template',
    })
  })

  test('a field of the wrong type, a list without a default, no image token', async () => {
    const bad = { code: 'tokenizer.bad-template' }
    await expect(promptOf({ 'tokenizer_config.json': { chat_template: 5 } })).rejects.toMatchObject(bad)
    const list = [{ name: 'rag', template: placing('') }]
    await expect(promptOf({ 'tokenizer_config.json': { chat_template: list } })).rejects.toMatchObject(bad)
    const encoder = join(fixtures, 'clip-encoder')
    await expect(openChatTemplate(encoder, await openTokenizer(encoder))).rejects.toMatchObject({
      code: 'tokenizer.no-image-token',
    })
  })
})
