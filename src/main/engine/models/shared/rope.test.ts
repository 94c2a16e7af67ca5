// Frequencies, cosines and sines against transformers' own, for each scaling and for short and long sequences.
import { describe, expect, test } from 'vitest'
import { floats, maxDifference, readFixture } from '../testing/parityFixtures.ts'
import { endsAtTrainedLength, readRope, ropeFrequencies, ropeTables } from './rope.ts'

const fixture = await readFixture('rope')
const { rope_parameters, head_dim, max_position_embeddings } = fixture.json as unknown as {
  rope_parameters: Record<string, Record<string, unknown>>
  head_dim: number
  max_position_embeddings: number
}
const recorded = fixture.names
  .filter((name) => name.endsWith('.inv_freq'))
  .map((name): [string, number] => [name.split('.')[0] as string, Number(name.split('.')[1])])

describe.each(recorded)('%s, %i positions', (type, length) => {
  const config = readRope('config.json', { rope_parameters: rope_parameters[type] ?? {}, max_position_embeddings })

  if (endsAtTrainedLength(config) && length > config.originalLength) {
    test('is refused, since what transformers computes there depends on the other rows of a batch', () => {
      const trained = ropeFrequencies(config, head_dim)
      expect(maxDifference(trained, floats(fixture.get(`${type}.${length}.inv_freq`)))).toBeGreaterThan(1e-3)
      const code = 'model.beyond-trained-length'
      expect(() => ropeTables(config, head_dim, length)).toThrow(expect.objectContaining({ code }))
      expect(ropeTables(config, head_dim, config.originalLength).cos.length).toBeGreaterThan(0)
    })
    return
  }

  test('frequencies and tables are those of transformers', () => {
    const frequencies = floats(fixture.get(`${type}.${length}.inv_freq`))
    expect(maxDifference(ropeFrequencies(config, head_dim), frequencies)).toBeLessThan(1e-7)
    const { cos, sin } = ropeTables(config, head_dim, length)
    // transformers stores each table twice side by side; ours are the half that is not repeated.
    const half = (name: string) => {
      const { shape } = fixture.get(name)
      const width = shape.at(-1) as number
      return floats(fixture.get(name)).filter((_, i) => i % width < head_dim / 2)
    }
    expect(maxDifference(cos, half(`${type}.${length}.cos`))).toBeLessThan(2e-6)
    expect(maxDifference(sin, half(`${type}.${length}.sin`))).toBeLessThan(2e-6)
  })
})

test('the older spellings say the same', () => {
  const old = { rope_theta: 500, rope_scaling: { type: 'linear', factor: 2 }, max_position_embeddings: 64 }
  const now = {
    rope_parameters: { rope_type: 'linear', rope_theta: 500, factor: 2 },
    max_position_embeddings: 64,
  }
  expect(readRope('config.json', old)).toEqual(readRope('config.json', now))
})

const factors = { short_factor: [1, 2], long_factor: [3, 4] }
const phi = { partial_rotary_factor: 1, original_max_position_embeddings: 16 }

test('LongRoPE of a Phi3, by each of its names: its own trained length, √(1 + ln 4 / ln 16) for a stretch from 16 to 64', () => {
  for (const type of ['longrope', 'su', 'yarn']) {
    const read = readRope('config.json', { rope_scaling: { type, ...factors }, max_position_embeddings: 64 }, phi)
    expect(read).toMatchObject({ type: 'longrope', factors: [1, 2], originalLength: 16 })
    expect(read.type === 'longrope' && read.magnitude).toBeCloseTo(Math.sqrt(1.5), 12)
  }
  const stated = { rope_type: 'longrope', ...factors, attention_factor: 1.2 }
  const read = readRope('config.json', { rope_parameters: stated, max_position_embeddings: 64 }, phi)
  expect(read).toMatchObject({ magnitude: 1.2 })
})

test.each([
  ['another scaling than LongRoPE', { rope_type: 'linear', factor: 2 }, 'model.unknown-config-field'],
  ['LongRoPE without its factors', { rope_type: 'longrope', long_factor: [1, 2] }, 'model.bad-config'],
])('%s of a Phi3 is refused by name', (_name, rope_parameters, code) => {
  const read = () => readRope('config.json', { rope_parameters, max_position_embeddings: 64 }, phi)
  expect(read).toThrow(expect.objectContaining({ code }))
})

test.each([
  ['a part of each head', { rope_type: 'default', partial_rotary_factor: 0.5 }, 'model.unknown-config-field'],
  ['factors without LongRoPE', { rope_type: 'default', ...factors }, 'model.unknown-config-field'],
  ['a scaling that is not computed', { rope_type: 'yarn', factor: 2 }, 'model.unknown-config-field'],
  ['a field that is not known', { rope_type: 'default', mscale: 0.7 }, 'model.unknown-config-field'],
  ['a factor that is missing', { rope_type: 'linear' }, 'model.bad-config'],
])('%s is refused by name', (_name, rope_parameters, code) => {
  const read = () => readRope('config.json', { rope_parameters, max_position_embeddings: 64 })
  expect(read).toThrow(expect.objectContaining({ code }))
})
