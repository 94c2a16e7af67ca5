// The report of a run as one HTML file that needs nothing beside it: no script, no font, no address. Before it stand
// demo.ts and gatherReport.ts, which take what the run left in the workspace; its parts are the files beside this one.
import { aurocOf, type Interval, refusalText } from '../../../shared/calibration.ts'
import type { CalibrationView } from '../../../shared/runView.ts'
import { componentsDrawing } from './calibration.ts'
import { curveSection } from './charts.ts'
import { estimateHeadline, estimateRemarks, estimateSection, estimateTiles, lookedAt, points } from './estimates.ts'
import { runFacts } from './facts.ts'
import { figureSection, headline, objectSection, remarks, tiles } from './figures.ts'
import { lookPlaceboSection, lookPlaceboSentence } from './lookPlacebo.ts'
import { fixed, html, type Markup, table, whole, withInterval } from './markup.ts'
import { originSection, skippedSection } from './origins.ts'
import { placeboSection, placeboSentence } from './placebo.ts'
import type { RunReport, WorkspaceRun } from './reportData.ts'
import { sampleSection } from './samples.ts'
import { sceneSection } from './scenes.ts'
import { costSection, settingsSection } from './settings.ts'
import { styleSheet } from './style.ts'

/** What the demo's figures do not say. */
export const demoLimits: readonly string[] = [
  'The demo world is tiny: a few dozen drawn objects, a model of a few million parameters, and training captions that ' +
    'make it hallucinate on purpose. That hallucinations fall here shows that the method works from end to end; it ' +
    'does not say by how much they fall in a large model. For orientation: the paper reports CHAIR_i 11.3 to 9.9 for ' +
    'LLaVA-1.5-7B.',
  'The scenes are drawn by the generator that drew the training scenes. Photographs are not like them.',
]

export const demoLicences: readonly string[] = [
  'The scenes are composed of vector art: Fluent Emoji Flat by Microsoft (MIT licence) and Noto Emoji by Google ' +
    '(Apache License 2.0), rasterised, turned, mirrored and shaded; backgrounds are FiSAO Studio’s own. The file NOTICE ' +
    'that comes with the program holds the licences in full. The demo model is FiSAO Studio’s own (Apache License 2.0).',
]

/** The whole page. Pure: the same report gives the same text. */
export function runReportHtml(report: RunReport): string {
  const { title, evaluation, run, steps } = report
  const result = run && !evaluation ? run : null
  const parts: readonly (readonly [id: string, name: string, content: Markup | null])[] = [
    ['figures', result ? 'Estimates' : 'Figures', result ? estimateSection(result, report) : countedFigures(report)],
    ['placebo', 'Placebo', result ? lookPlaceboSection(result, report) : placeboSection(report)],
    ...(run ? ([['samples', 'Responses', sampleSection(run, report)]] as const) : []),
    ...(run && !evaluation ? [] : countedParts(report)),
    ['calibration', 'Calibration', calibrationSection(report.calibration, report)],
    ['curves', 'Curves', curveSection(report.curves, steps.best)],
    ['left-out', 'Images left out', run && skippedSection(run)],
    ['costs', 'Durations', costSection(report)],
    ['settings', 'Settings', settingsSection(report.config, report.preset)],
    ['origins', 'Files', run && originSection(run, report.seed)],
    ['limits', 'Limits', limitsSection(report)],
  ]
  const shown = parts.filter(([, , content]) => content !== null)
  const links = shown.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · FiSAO Studio report</title>
<style>${styleSheet}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<header>
<p class="product">FiSAO Studio · report of a run</p>
<h1><bdi>${title}</bdi></h1>
${runFacts(report)}
<nav aria-label="Contents"><ul>${links}</ul></nav>
</header>
<main id="main">
${refusalWarning(report)}
<section class="lead" aria-label="Result">
${result ? estimateLead(result, report) : countedLead(report)}
</section>
${shown.map(([, , content]) => content)}
</main>
</body>
</html>
`.text
}

function countedLead(report: RunReport): Markup {
  const { evaluation } = report
  return html`${headline(evaluation)}
${placeboSentence(report)}
${remarks(report)}
${evaluation ? tiles(evaluation) : null}`
}

function estimateLead(run: WorkspaceRun, report: RunReport): Markup {
  return html`${estimateHeadline(run, report)}
${lookPlaceboSentence(run, report.steps.best)}
${estimateRemarks(run, report)}
${estimateTiles(run, report.steps.best)}`
}

function countedFigures({ evaluation, bootstrapResamples }: RunReport): Markup {
  return figureSection(evaluation, bootstrapResamples)
}

function countedParts({ scenes, evaluation }: RunReport): (readonly [string, string, Markup])[] {
  return [
    ['scenes', 'Scenes', sceneSection(scenes, evaluation)],
    ['objects', 'Objects', objectSection(evaluation)],
  ]
}

/** Stands first on the page when a run was forced through a calibration that refused its verifier. */
function refusalWarning(report: RunReport): Markup | null {
  const refusals = report.calibration?.refusals ?? []
  if (refusals.length === 0) return null
  const reasons = refusals.map((refusal) => html`<li>${refusalText(refusal)}</li>`)
  return html`<section class="warning" aria-labelledby="warning-title">
<h2 id="warning-title">Do not trust this run: its verifier was refused</h2>
<p>Calibration found that the verifier cannot tell right words from hallucinated ones, and the run went on because a
person decided so (setting “Go on with a verifier that cannot tell”).</p>
<ul>${reasons}</ul>
<p><strong>What follows from it.</strong> The paper names this failure: an encoder that is badly aligned does not correct
a model’s errors, it amplifies them. Words are rewarded whether or not they are in the image, so what the verifier itself
estimates says nothing of what annotations count.</p>
<p><strong>In this run:</strong> ${report.run && !report.evaluation ? estimatedSignature(report.run, report) : failureSignature(report)}</p>
</section>`
}

/** How far the verifier's own words are from what annotations count, and what became of the hallucinations. */
function failureSignature({ curves, evaluation, steps, calibration }: RunReport): string {
  const estimates = curves['validation.hallucinationRate'] ?? []
  const before = estimates[0]?.value
  const after = estimates.find(({ step }) => step === steps.best)?.value ?? estimates.at(-1)?.value
  const chair = evaluation?.figures.chairI
  if (before === undefined || after === undefined || !chair || chair.difference.value === null) {
    return 'it cannot be checked, because the estimates or the annotated figures are missing.'
  }
  const told =
    `it took ${fixed((calibration ? (aurocOf(calibration).auroc ?? Number.NaN) : Number.NaN) * 100, 0)} % of pairs of a right and a wrong word to be in the right order; ` +
    `by the annotations ${fixed((evaluation?.verifierAuroc.value ?? Number.NaN) * 100, 0)} % were (50 % is chance)`
  const estimated = `Its own estimate of the hallucination rate went from ${fixed(before * 100, 1)} % to ${fixed(after * 100, 1)} %`
  const counted = `CHAIR_i went from ${fixed((chair.before.value ?? Number.NaN) * 100, 1)} % to ${fixed((chair.after.value ?? Number.NaN) * 100, 1)} % (difference in points ${withInterval(chair.difference, 100, 1)})`
  const [low, high] = [chair.difference.low ?? Number.NaN, chair.difference.high ?? Number.NaN]
  const outcome =
    high < 0
      ? 'hallucinations fell nevertheless, as they can when every object word is penalised and a model names fewer objects: that is not the verifier’s doing, and the words that it marks are marked at random'
      : low > 0
        ? 'the model’s errors grew'
        : 'nothing was repaired, as far as the interval can tell'
  return `${told}. ${estimated}, while ${counted}: ${outcome}.`
}

/** The same where nothing was counted: only what the refused verifier itself says, and that this proves nothing. */
function estimatedSignature(run: WorkspaceRun, { steps }: RunReport): string {
  const { before, after } = lookedAt(run, steps.best)
  if (!before || !after || steps.best === 0) {
    return 'no step was kept, so nothing of it reaches a model that is exported from here.'
  }
  return (
    `its own estimate of the hallucination rate went from ${points(before.hallucinationRate)} % to ${points(after.hallucinationRate)} %, ` +
    `and of right objects from ${fixed(before.coverage, 2)} to ${fixed(after.coverage, 2)} a response. Nothing was counted against annotations, ` +
    'so whether the model’s errors grew is not known: figures of a verifier that cannot tell say nothing of it.'
  )
}

function calibrationSection(
  calibration: CalibrationView | null,
  { evaluation, config, calibrationNotes }: RunReport,
): Markup {
  if (!calibration) {
    return html`<section aria-labelledby="calibration"><h2 id="calibration">Calibration</h2>
<p>No calibration was stored with this run.</p></section>`
  }
  const { method, scores, baselines, overlap, imageAuroc, estimate } = calibration
  const { auroc, interval, separation } = aurocOf(calibration)
  const margin = config?.reward.margin ?? 0
  const made =
    method === 'annotated'
      ? 'With annotations: mean scores of the named objects that the annotations have, and of those they do not have.'
      : 'Without annotations: each word was scored on its own image and on others where it might have been said, but was not. ' +
        'How far its own image stands out says how probably the word is right; the baselines are means weighted by that. No label was read.'
  const facts = [
    ['Scores', whole(scores)],
    ['Baseline of grounded words, μ_gt', fixed(baselines?.muGt, 2)],
    ['Baseline of hallucinated words, μ_hal', fixed(baselines?.muHal, 2)],
    ['Margin λ', fixed(margin, 2)],
    [
      method === 'annotated' ? 'AUROC, on the annotated scores' : 'AUROC, estimated (95 % interval)',
      fixed(auroc, 2) + spanOf(interval),
    ],
    ...(estimate?.rawAuroc == null
      ? []
      : [['AUROC of scores with their words’ own levels, as rewards read them', fixed(estimate.rawAuroc, 2)] as const]),
    ...(evaluation
      ? [
          [
            'AUROC, measured on the evaluation images before alignment',
            withInterval(evaluation.verifierAuroc, 1, 2),
          ] as const,
        ]
      : []),
    ['Separation of the two groups, were they normal', fixed(separation, 2)],
    ['Overlap of the two groups', overlap === null ? '–' : `${fixed(overlap * 100, 1)} %`],
    [
      'AUROC of a word on its own image over other images',
      fixed(imageAuroc, 2) + spanOf(estimate?.ownOverOther ?? null),
    ],
    ['Verdict', calibration.refusals.length === 0 ? 'the verifier can tell' : 'refused; the run was forced'],
  ] as const
  const rows = facts.map(([name, value]) => html`<tr><th scope="row">${name}</th><td class="number">${value}</td></tr>`)
  return html`<section aria-labelledby="calibration">
<h2 id="calibration">Calibration</h2>
<p>${made} An AUROC of 0.5 is chance, 1 is a verifier that is never wrong.</p>
${calibrationNotes.map((sentence) => html`<p>${sentence}</p>`)}
<div class="pair">
${componentsDrawing(calibration, margin)}
${table(
  'calibration-table',
  'What calibration found',
  [
    ['Finding', 'text'],
    ['Value', 'number'],
  ],
  rows,
)}
</div>
</section>`
}

function spanOf(interval: Interval | null): string {
  return interval ? ` (${fixed(interval.low, 2)} to ${fixed(interval.high, 2)})` : ''
}

const limitOfChair =
  'CHAIR counts the objects of its lexicon only. Wrong colours, counts, places and actions are not counted, nor are objects ' +
  'outside the lexicon.'
const limitsOfEveryRun: readonly string[] = [
  'The intervals say how the figures would vary over other images of the same kind. They say nothing about other seeds, ' +
    'other models or other settings: this is one run.',
  limitOfChair,
  'What is called estimated comes from the verifier that also gives the rewards. It can improve without the responses ' +
    'becoming truer; only figures counted against annotations settle that.',
]

function limitsSection({ limits, licences, evaluation }: RunReport): Markup {
  const counted = evaluation ? limitsOfEveryRun : limitsOfEveryRun.filter((sentence) => sentence !== limitOfChair)
  const items = [...limits, ...counted].map((sentence) => html`<li>${sentence}</li>`)
  return html`<section aria-labelledby="limits">
<h2 id="limits">Limits</h2>
<p>What these figures do not say:</p>
<ul>${items}</ul>
${licences.length > 0 ? html`<h3>Licences</h3>${licences.map((paragraph) => html`<p>${paragraph}</p>`)}` : null}
<p>Method: Cui et al., “Fine-Grained Verifiers: Preference Modeling as Next-token Prediction in Vision-Language
Alignment”, ICLR 2025, arXiv 2410.14148. CHAIR: Rohrbach et al., “Object Hallucination in Image Captioning”, EMNLP
2018.</p>
</section>`
}
