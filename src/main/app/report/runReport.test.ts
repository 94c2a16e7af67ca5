// What a report says, in its words: figures and intervals, honest headlines, escaped text, and no address to ask.
import { describe, expect, test } from 'vitest'
import { runReportHtml } from './runReport.ts'
import { comparison, sampleEvaluation, sampleReport } from './testing/runReportSample.ts'

const textOf = (markup: string) =>
  markup
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
const page = runReportHtml(sampleReport)

test('is one page that asks for nothing outside and runs nothing', () => {
  expect(page).toMatch(/^<!doctype html>\n<html lang="en">/)
  expect(page).not.toMatch(/<script|<link|@import|url\(|(src|href)="(?!data:|#)/)
  expect([...page.matchAll(/<h1/g)]).toHaveLength(1)
  const headings = [...page.matchAll(/<h(\d)/g)].map(([, level]) => Number(level))
  // No level is skipped on the way down.
  expect(headings.every((level, i) => i === 0 || level <= (headings[i - 1] as number) + 1)).toBe(true)
})

test('says the figures with their intervals', () => {
  const text = textOf(page)
  expect(text).toContain('fell by 39 % (95 % interval 31 to 46)')
  expect(text).toContain('17.2 (15.5 to 18.9)')
  expect(text).toContain('n = 500 images')
})

describe('the headline', () => {
  const withChairI = (...parts: Parameters<typeof comparison>) =>
    textOf(
      runReportHtml({
        ...sampleReport,
        evaluation: {
          ...sampleEvaluation,
          figures: { ...sampleEvaluation.figures, chairI: comparison(...parts) },
        },
      }),
    )

  test('claims nothing when the interval holds no change', () => {
    const text = withChairI([0.17, 0.15, 0.19], [0.165, 0.14, 0.18], [-0.005, -0.02, 0.01], [0.03, -0.06, 0.12])
    expect(text).toMatch(/no clear change|did not (clearly )?change|not clear/i)
  })

  test('says so when things got worse', () => {
    const text = withChairI([0.17, 0.15, 0.19], [0.2, 0.18, 0.22], [0.03, 0.02, 0.04], [-0.18, -0.3, -0.1])
    expect(text).toMatch(/rose|worse|more/)
  })

  test('stands without an evaluation', () => {
    expect(textOf(runReportHtml({ ...sampleReport, evaluation: null }))).toContain('Demo run')
  })
})

test('says what of the annotations found no partner, what became of a calibration, and that nothing changed', () => {
  const missing = { count: 3, first: ['a.jpg'] }
  const text = textOf(
    runReportHtml({
      ...sampleReport,
      ...{ calibrationNotes: ['The first baselines were kept.'], outcome: 'Nothing changed beyond noise.' },
      steps: { ...sampleReport.steps, best: 0 },
      evaluation: { ...sampleEvaluation, annotations: { ...sampleEvaluation.annotations, missing } },
    }),
  )
  expect(text).toContain('3 of 500 annotated images (such as “a.jpg”) are not there and take no part.')
  expect(text).toContain('The first baselines were kept.')
  expect(text).toContain('Nothing changed beyond noise.')
  expect(textOf(page)).not.toContain('take no part')
})

describe('the placebo', () => {
  const { figures } = sampleEvaluation
  const withPlacebo = (beyond: Parameters<typeof comparison>, recall: [number, number, number]) => {
    const lost = comparison([0.877, 0.86, 0.89], [0.877 + recall[0], 0.7, 0.9], recall, [0, 0, 0])
    const chairI = comparison([0.172, 0.155, 0.189], [0.15, 0.13, 0.17], [-0.022, -0.04, -0.004], [0.13, 0.02, 0.23])
    const placebo = {
      figures: { ...figures, chairI, recall: lost },
      beyond: { ...figures, chairI: comparison(...beyond) },
    }
    return textOf(runReportHtml({ ...sampleReport, evaluation: { ...sampleEvaluation, placebo } }))
  }

  test('is told beside the headline, with what lies beyond it', () => {
    const text = withPlacebo(
      [
        [0.15, 0.13, 0.17],
        [0.105, 0.09, 0.12],
        [-0.045, -0.06, -0.03],
        [0.3, 0.2, 0.4],
      ],
      [-0.14, -0.16, -0.12],
    )
    expect(text).toContain('The effect goes beyond the placebo.')
    expect(text).toContain('judged by another one lowers CHAIR_i by 13 %, this run lowers CHAIR_i by 39 %')
    expect(text).toContain('−4.5 (−6.0 to −3.0) points of CHAIR_i')
    expect(text).toContain('In the placebo recall falls by 14.0 points')
  })

  test('of the same effect leaves nothing to claim', () => {
    const text = withPlacebo(
      [
        [0.11, 0.09, 0.13],
        [0.105, 0.09, 0.12],
        [-0.005, -0.02, 0.01],
        [0.04, -0.1, 0.2],
      ],
      [-0.01, -0.02, 0.01],
    )
    expect(text).toContain('No effect beyond the placebo can be told.')
    expect(text).toContain('neither lost recall nor made more errors')
  })

  test('that raises CHAIR_i is not said to lower it, and at the first step there is nothing to compare', () => {
    const rises = comparison([0.172, 0.155, 0.189], [0.19, 0.17, 0.21], [0.018, 0.01, 0.03], [-0.11, -0.18, -0.04])
    const evaluation = {
      ...sampleEvaluation,
      placebo: { figures: { ...figures, chairI: rises }, beyond: figures },
    }
    const text = textOf(runReportHtml({ ...sampleReport, evaluation }))
    expect(text).toContain('judged by another one raises CHAIR_i by 11 %')
    expect(text).toContain('In the placebo the model’s errors grew')
    const first = textOf(runReportHtml({ ...sampleReport, evaluation, steps: { ...sampleReport.steps, best: 0 } }))
    expect(first).toContain('nothing to hold against its placebo')
    expect(first).not.toContain('Beyond the placebo')
  })

  test('that was not made is not spoken of', () => {
    expect(textOf(page)).not.toMatch(/placebo/i)
  })
})

test('a refused calibration is a warning with its reason and the signature to look for', () => {
  const refused = runReportHtml({
    ...sampleReport,
    calibration: {
      ...(sampleReport.calibration as NonNullable<typeof sampleReport.calibration>),
      refusals: [{ reason: 'blind-to-image', expected: 'AUROC of at least 0.65', found: '0.51' }],
    },
  })
  expect(textOf(refused)).toContain('0.51')
  expect(textOf(refused)).toMatch(/refused|cannot tell/)
  expect(textOf(refused)).toMatch(/by the annotations \d+ % were \(50 % is chance\)/)
})

test.each([
  ['errors that grew', { low: 0.01, high: 0.03 }, 'the model’s errors grew'],
  ['nothing that an interval can tell', { low: -0.01, high: 0.01 }, 'nothing was repaired'],
  ['hallucinations that fell all the same', { low: -0.03, high: -0.01 }, 'that is not the verifier’s doing'],
])('a forced run shows %s', (_name, interval, sentence) => {
  const { evaluation, calibration } = sampleReport
  if (!evaluation || !calibration) throw new Error('the sample report has both')
  const chairI = evaluation.figures.chairI
  const forced = runReportHtml({
    ...sampleReport,
    calibration: { ...calibration, refusals: [{ reason: 'blind-to-image', expected: '0.65', found: '0.51' }] },
    evaluation: {
      ...evaluation,
      figures: { ...evaluation.figures, chairI: { ...chairI, difference: { ...chairI.difference, ...interval } } },
    },
  })
  expect(textOf(forced)).toContain(sentence)
})

test('whatever a text holds, it stays text', () => {
  const hostile = '<img src=x onerror=alert(1)>"&\''
  const markup = runReportHtml({ ...sampleReport, title: hostile, modelName: hostile, command: hostile })
  expect(markup).not.toContain('<img src=x')
  expect(markup).toContain('&lt;img src=x onerror=alert(1)&gt;')
})
