// Sends random messages through the bridge from inside the page, for ipc.spec.ts. Bundled, since a page can load
// nothing; fast-check makes the messages, the contract says which of them main had to accept.
import fc from 'fast-check'
import { type Channel, channels } from '../src/shared/contract.ts'
import { errorRecordSchema } from '../src/shared/errors.ts'

/** What became of the messages to one channel. */
export interface Outcome {
  readonly sent: number
  readonly accepted: number
  /** Refusals by their code. */
  readonly refused: Record<string, number>
  /** Messages that could not be sent at all: the page's own structured clone refused them. */
  readonly unsendable: number
  /** What must not happen, in words, with the message. */
  readonly faults: string[]
}

interface Bridge {
  request(channel: string, params: unknown): Promise<unknown>
}

/** Not `/`, which is a folder that can be imported: all of the disk would be walked. */
const hostilePaths = [
  ...['', '.', '..', '../../etc/passwd', '/etc', '/dev', '/dev/zero', '/proc/self/mem', '/no such.fisao', 'a\0b'],
  ...['/tmp/a\0b', `/${'a'.repeat(300)}`, 'file:///etc', 'C:\\x', '\\\\server\\share', '~', '/tmp/../etc/passwd'],
]
const hostileNumbers = [0, -0, -1, 1, 0.5, 2 ** 31, 2 ** 53, -(2 ** 63), 1e308, Number.NaN, Number.POSITIVE_INFINITY]

const value = fc.oneof(
  fc.constantFrom(...hostilePaths),
  fc.constantFrom(...hostileNumbers),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.nat({ max: 20 }),
  fc.boolean(),
  fc.constantFrom(null, undefined, '__proto__', 'constructor', 'x'.repeat(100_000)),
  fc.anything({
    maxDepth: 3,
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withNullPrototype: true,
    withObjectString: true,
    withSparseArray: true,
  }),
)

/** Messages for a channel: of any kind, of its own fields with any values, and odd kinds that only a program makes. */
function messagesFor(channel: Channel): fc.Arbitrary<unknown> {
  const fields = Object.keys(channels[channel].params.shape)
  const own = fc.record(Object.fromEntries(fields.map((field) => [field, value])), { requiredKeys: [] })
  const cyclic = fc.constant(null).map(() => {
    const loop: Record<string, unknown> = {}
    loop['itself'] = loop
    return loop
  })
  const odd = fc.constantFrom<unknown>(
    () => 1,
    Symbol('x'),
    new Error('x'),
    /x/,
    new Uint8Array(1 << 16),
    document.body,
    window,
  )
  return fc.oneof(
    // A channel without fields has one message of its own; that main does what it says is not what is tried here.
    { weight: fields.length > 0 ? 6 : 1, arbitrary: own },
    { weight: 3, arbitrary: value },
    { weight: 1, arbitrary: fc.oneof(cyclic, odd) },
  )
}

/** Sends `count` messages to a channel, some at a time, and waits for every answer. */
async function sendTo(channel: Channel, count: number, seed: number): Promise<Outcome> {
  const { studio } = globalThis as unknown as { studio: Bridge }
  const outcome = { sent: 0, accepted: 0, refused: {} as Record<string, number>, unsendable: 0, faults: [] as string[] }
  const messages = fc.sample(messagesFor(channel), { numRuns: count, seed })
  const sendOne = async (message: unknown): Promise<void> => {
    // The bridge throws at once what it cannot copy.
    const answer = await Promise.resolve()
      .then(() => studio.request(channel, message))
      .then(
        (got) => ({ got }),
        (thrown: unknown) => ({ thrown: String(thrown) }),
      )
    outcome.sent++
    if ('thrown' in answer) {
      if (/could not be cloned|cannot be cloned|Cannot convert|recursion|nesting/i.test(answer.thrown))
        outcome.unsendable++
      else outcome.faults.push(`${describe(message)} ended in ${answer.thrown.slice(0, 200)}`)
      return
    }
    judge(channel, message, answer.got, outcome)
  }
  const atOnce = 32
  for (let start = 0; start < messages.length; start += atOnce) {
    await Promise.all(messages.slice(start, start + atOnce).map(sendOne))
  }
  return outcome
}

function judge(
  channel: Channel,
  message: unknown,
  got: unknown,
  outcome: { accepted: number; refused: Record<string, number>; faults: string[] },
): void {
  const answer = got as { ok?: unknown; value?: unknown; error?: unknown }
  if (answer.ok === true) {
    outcome.accepted++
    // An element of the page arrives as an object without fields.
    const arrived = message instanceof Node ? {} : message
    const isAgreed = channels[channel].params.strict().safeParse(arrived).success
    if (!isAgreed) outcome.faults.push(`${describe(message)} was accepted`)
    if (!channels[channel].result.safeParse(answer.value).success)
      outcome.faults.push(`${describe(message)} gave a result of another form`)
    return
  }
  const error = errorRecordSchema.safeParse(answer.error)
  if (!error.success) {
    outcome.faults.push(`${describe(message)} was refused without a sentence`)
    return
  }
  outcome.refused[error.data.code] = (outcome.refused[error.data.code] ?? 0) + 1
  if (error.data.code === 'app.unexpected') outcome.faults.push(`${describe(message)} ended in: ${error.data.message}`)
}

function describe(message: unknown): string {
  return fc.stringify(message).slice(0, 300)
}

Object.assign(globalThis, { sendTo })
