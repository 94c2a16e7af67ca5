// What a person reads of a failure that nobody foresaw: a sentence, and the exception's own text only for the log.
import { expect, it } from 'vitest'
import { StudioError, toErrorRecord } from './errors.ts'

it('has a sentence for what nobody foresaw, and keeps the exception as what was found', () => {
  const thrown = new TypeError("Cannot read properties of undefined (reading 'x')")
  expect(toErrorRecord(thrown)).toEqual({
    code: 'app.unexpected',
    message: 'Something went wrong that FiSAO Studio did not foresee.',
    remedy: 'Try again; if it happens twice, open Help > Show logs and report it.',
    found: "Cannot read properties of undefined (reading 'x')",
  })
  expect(toErrorRecord('x'.repeat(2000), 'run.unexpected').found).toHaveLength(1001)
})

it('takes an error of the product as it is', () => {
  const record = { code: 'run.missing', message: 'It is gone.', remedy: 'Choose another.', where: 'run 3' } as const
  expect(toErrorRecord(new StudioError(record))).toEqual(record)
})
