// Every error that the product can say, read from its source: code, sentence and remedy as they stand there, with a
// placeholder for what is only known when it happens. A new code is found by itself; errorCatalogue.spec.ts shows them all.
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseSync } from 'vite'
import { projectRoot } from '../scripts/runProgram.ts'
import { errorAreas } from '../src/shared/errors.ts'

export interface ErrorSite {
  readonly code: string
  readonly message: string
  readonly remedy: string
  /** The file that says it, from the root of the project. */
  readonly file: string
}

/** What stands for a value that is not in the source: a word that fits a number as little as a name. */
export const placeholder = '‹value›'
/** Calls of calls are followed so far; nothing in the product goes further. */
const deepest = 4
/** Readings of one text, where it depends on conditions. */
const mostReadings = 24

const isCode = new RegExp(`^(${errorAreas.join('|')})\\.[a-zA-Z0-9-]+$`)

/** A node of the syntax tree (ESTree), of which only what is asked for is known. */
interface Node {
  readonly type: string
  readonly [key: string]: unknown
}

interface Parsed {
  readonly file: string
  /** Function nodes with their names. */
  readonly functions: readonly { readonly name: string; readonly node: Node }[]
  readonly calls: readonly { readonly name: string; readonly node: Node }[]
  readonly parents: ReadonlyMap<Node, Node>
  readonly root: Node
}

/** Names with what they stand for, and where that is to be read. */
type Scope = ReadonlyMap<string, { readonly node: Node; readonly in: Reading }>
/** A place in the source with what its function was called with. */
interface Reading {
  readonly parsed: Parsed
  readonly scope: Scope
  readonly depth: number
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
const childrenOf = (node: Node): Node[] => Object.values(node).flat().filter(isNode)
const nameOf = (node: unknown): string => (isNode(node) && node.type === 'Identifier' ? String(node['name']) : '')
const isFunction = ({ type }: Node): boolean => /Function(Declaration|Expression)$/.test(type)

/** All errors of `src`, tests left out; each code, sentence and remedy that the source can put together. */
export function errorSites(): ErrorSite[] {
  const all = sourceFiles(join(projectRoot, 'src')).map(parse)
  const found = all.flatMap((parsed) => recordsIn(parsed, all)).filter(isWhole)
  const seen = new Map(found.map((site) => [JSON.stringify([site.code, site.message, site.remedy]), site]))
  return [...seen.values()].sort((a, b) => (a.code < b.code ? -1 : 1))
}

/** Records that only pass on what others say are no sites of their own. */
function isWhole({ code, message }: ErrorSite): boolean {
  return isCode.test(code) && message.replaceAll(placeholder, '').trim() !== ''
}

/** Code literals anywhere in the source, told from names of channels by standing where a code stands. */
export function codesNamed(): Set<string> {
  const pattern = new RegExp(`\\bcode: '((?:${errorAreas.join('|')})\\.[a-zA-Z0-9-]+)'`, 'g')
  const texts = sourceFiles(join(projectRoot, 'src')).map((file) => readFileSync(file, 'utf8'))
  return new Set(texts.flatMap((text) => [...text.matchAll(pattern)].map(([, code]) => code as string)))
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !/\.(test|d)\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/[\\/]testing[\\/]/.test(path))
}

function parse(path: string): Parsed {
  const root = parseSync(path, readFileSync(path, 'utf8')).program as unknown as Node
  const functions: { name: string; node: Node }[] = []
  const calls: { name: string; node: Node }[] = []
  const parents = new Map<Node, Node>()
  const walk = (node: Node): void => {
    if (isFunction(node)) {
      const parent = parents.get(node)
      const owner = parent?.type === 'MethodDefinition' || parent?.type === 'Property' ? parent['key'] : parent?.['id']
      functions.push({ name: nameOf(node['id']) || calledName(owner), node })
    }
    if (node.type === 'CallExpression') calls.push({ name: calledName(node['callee']), node })
    for (const child of childrenOf(node)) {
      parents.set(child, node)
      walk(child)
    }
  }
  walk(root)
  return { file: relative(projectRoot, path), functions, calls, parents, root }
}

/** `weightsError` of `weightsError(…)`, `#error` of `this.#error(…)`. */
function calledName(callee: unknown): string {
  if (!isNode(callee)) return ''
  if (callee.type === 'PrivateIdentifier') return `#${callee['name']}`
  return callee.type === 'MemberExpression' ? calledName(callee['property']) : nameOf(callee)
}

function recordsIn(parsed: Parsed, all: readonly Parsed[]): ErrorSite[] {
  const found: ErrorSite[] = []
  for (const node of parsed.parents.keys()) {
    if (node.type !== 'ObjectExpression') continue
    const parts = ['code', 'message', 'remedy'].map((name) => propertyOf(node, name))
    // The table of what SQLite and the file system say of a workspace names the problem alone.
    const problem = propertyOf(node, 'problem')
    if (problem) parts[0] = problem
    if (parts[0] === undefined || parts[1] === undefined || parts[2] === undefined) continue
    for (const reading of readingsOf(parsed, node, parts as Node[], all)) {
      const [codes = [], messages = [], remedies = []] = parts.map((part) => textsOf(part as Node, reading))
      for (const text of codes) {
        const code = problem ? `workspace.${text}` : text.replace(`${placeholder}.`, 'engine.')
        // Texts that go with one condition stand in one order; the shorter list says the same for all.
        const count = Math.max(messages.length, remedies.length)
        for (let i = 0; i < count; i++) {
          const [message = '', remedy = ''] = [messages[i % messages.length], remedies[i % remedies.length]]
          found.push({ code, message, remedy, file: parsed.file })
        }
      }
    }
  }
  return found
}

function propertyOf(object: Node, name: string): Node | undefined {
  for (const property of object['properties'] as Node[]) {
    if (property.type === 'Property' && calledName(property['key']) === name) return property['value'] as Node
  }
  return undefined
}

/** The object as each call of its function makes it; as it stands, when nothing of it comes from a parameter. */
function readingsOf(
  parsed: Parsed,
  object: Node,
  parts: readonly Node[],
  all: readonly Parsed[],
  depth = 0,
): Reading[] {
  const asIs: Reading = { parsed, scope: new Map(), depth }
  const fn = functionOf(parsed, object)
  if (!fn || depth >= deepest) return [asIs]
  const declared = fn.node['params'] as Node[]
  const parameters = declared.map((one) => (one.type === 'AssignmentPattern' ? (one['left'] as Node) : one))
  const names = parameters.map(nameOf)
  const used = new Set(parts.flatMap((part) => [...identifiersIn(part, parsed)]))
  const patterns = parameters.flatMap(({ properties }) => (properties as Node[] | undefined) ?? [])
  const isAsked = names.some((name) => used.has(name)) || patterns.some(({ key }) => used.has(calledName(key)))
  if (!isAsked || fn.name === '' || fn.name === 'constructor') return [asIs]
  const isPrivate = !isExported(parsed, fn.node)
  const readings = all
    .filter((other) => !isPrivate || other === parsed)
    .flatMap((other) =>
      other.calls
        .filter(({ name }) => name === fn.name)
        .flatMap(({ node: call }) => {
          const passed = call['arguments'] as Node[]
          return readingsOf(other, call, passed, all, depth + 1).map((from): Reading => {
            const scope = new Map<string, { node: Node; in: Reading }>()
            for (const [i, name] of names.entries()) {
              const argument = passed[i]
              const usual = declared[i]?.['right']
              if (name === '') continue
              if (argument) scope.set(name, { node: argument, in: from })
              else if (isNode(usual)) scope.set(name, { node: usual, in: asIs })
            }
            return { parsed, scope, depth: from.depth + 1 }
          })
        }),
    )
  return readings.length > 0 ? readings : [asIs]
}

function isExported(parsed: Parsed, fn: Node): boolean {
  return parsed.parents.get(fn)?.type === 'ExportNamedDeclaration'
}

function functionOf(parsed: Parsed, node: Node): { name: string; node: Node } | undefined {
  for (let at: Node | undefined = node; at; at = parsed.parents.get(at)) {
    const fn = parsed.functions.find((one) => one.node === at)
    if (fn && fn.name !== '') return fn
  }
  return undefined
}

/** Names that an expression is made of, through the constants of its function. */
function identifiersIn(node: Node, parsed: Parsed, seen = new Set<string>()): ReadonlySet<string> {
  if (node.type !== 'Identifier') {
    for (const child of childrenOf(node)) identifiersIn(child, parsed, seen)
    return seen
  }
  const name = nameOf(node)
  const made = seen.has(name) ? undefined : constantOf(name, node, parsed)
  seen.add(name)
  if (made) identifiersIn(made, parsed, seen)
  return seen
}

/** What a `const` in sight of the node was given. */
function constantOf(name: string, node: Node, parsed: Parsed): Node | undefined {
  for (let at: Node | undefined = node; at; at = parsed.parents.get(at)) {
    const body = at.type === 'BlockStatement' || at.type === 'Program' ? (at['body'] as Node[]) : []
    for (const statement of body) {
      const declaration = statement.type === 'ExportNamedDeclaration' ? (statement['declaration'] as Node) : statement
      if (declaration?.type !== 'VariableDeclaration') continue
      const found = (declaration['declarations'] as Node[]).find(({ id }) => nameOf(id) === name)
      if (found && isNode(found['init'])) return found['init']
    }
  }
  return undefined
}

/** All texts that an expression can come to. */
function textsOf(node: Node, reading: Reading, depth = 0): string[] {
  if (depth > deepest * 2) return [placeholder]
  const of = (part: unknown): string[] => textsOf(part as Node, reading, depth + 1)
  switch (node.type) {
    case 'Literal':
      return [node['value'] === null ? placeholder : String(node['value'])]
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
    case 'ParenthesizedExpression':
      return of(node['expression'])
    case 'ConditionalExpression':
      return [...of(node['consequent']), ...of(node['alternate'])]
    case 'LogicalExpression':
      return node['operator'] === '&&' ? of(node['right']) : [...of(node['left']), ...of(node['right'])]
    case 'BinaryExpression':
      return combined([of(node['left']), of(node['right'])])
    case 'TemplateLiteral': {
      const fixed = (node['quasis'] as { value: { cooked: string } }[]).map(({ value }) => [value.cooked])
      const open = (node['expressions'] as Node[]).map(of)
      return combined(fixed.flatMap((text, i) => (open[i] ? [text, open[i]] : [text])))
    }
    case 'Identifier': {
      const passed = reading.scope.get(nameOf(node))
      if (passed) return textsOf(passed.node, passed.in, depth + 1)
      const made = constantOf(nameOf(node), node, reading.parsed)
      return made ? textsOf(made, reading, depth + 1) : [placeholder]
    }
    case 'MemberExpression': {
      const table = isNode(node['object']) && constantOf(nameOf(node['object']), node, reading.parsed)
      const entries = table && node['computed'] === true ? withoutTypes(table) : undefined
      const values = entries?.type === 'ObjectExpression' ? (entries['properties'] as Node[]) : []
      const texts = values.flatMap(({ value }) => (isNode(value) && value.type === 'Literal' ? of(value) : []))
      return texts.length > 0 ? texts : [placeholder]
    }
    default:
      return [placeholder]
  }
}

function withoutTypes(node: Node): Node {
  return /^TS(As|Satisfies)Expression$/.test(node.type) ? withoutTypes(node['expression'] as Node) : node
}

function combined(parts: readonly (readonly string[])[]): string[] {
  return parts.reduce<string[]>(
    (texts, part) => texts.flatMap((text) => part.map((more) => text + more)).slice(0, mostReadings),
    [''],
  )
}
