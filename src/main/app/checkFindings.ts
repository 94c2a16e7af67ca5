// What a measurement before a run means for a person: each figure with a verdict and a sentence. Before it stands
// engine/jobs/checkJob.ts, after it runChecks.ts.
import type { CheckFinding, CheckMeasurement, CheckVerdict } from '../../shared/runCheck.ts'
import type { RunConfig } from '../../shared/runConfig.ts'
import { sizeWords } from '../db/freeSpace.ts'

/** A run that takes longer than this is worth a second thought. */
const longMs = 12 * 3600_000
/** Share of the memory that is there beyond which the system begins to write to the disk. */
const tightShare = 0.85
/** A disk needs room beside what is stored: the log before it is folded in, and the next backup. */
const roomShare = 0.8

export function measuredFindings(measured: CheckMeasurement, config: RunConfig): CheckFinding[] {
  return [
    timeFinding(measured.time),
    memoryFinding(measured.memory),
    diskFinding(measured.disk),
    verifierFinding(measured.verifier, config),
  ]
}

const finding = (
  about: CheckFinding['about'],
  verdict: CheckVerdict,
  sentence: string,
  remedy: string | null = null,
  field: CheckFinding['field'] = null,
): CheckFinding => ({ about, verdict, sentence, remedy, field })

function timeFinding({ totalSteps, stepMs, totalMs }: CheckMeasurement['time']): CheckFinding {
  const steps = totalSteps === 0 ? '' : `, ${durationWords(stepMs.value)} a step`
  const sentence = `It takes about ${durationWords(totalMs.value)} (${durationWords(totalMs.low)} to ${durationWords(totalMs.high)})${steps}.`
  if (totalMs.value <= longMs) return finding('time', 'ok', sentence)
  return finding(
    'time',
    'warning',
    sentence,
    'Take fewer steps or fewer responses a step; it can be paused at any time.',
    {
      ...{ section: 'optimiser', name: 'stepsPerRound' },
    },
  )
}

function memoryFinding({ expectedBytes, machineBytes, availableBytes }: CheckMeasurement['memory']): CheckFinding {
  const sentence = `It needs about ${sizeWords(expectedBytes)} of memory; ${sizeWords(availableBytes)} of ${sizeWords(machineBytes)} are free.`
  const field = { section: 'optimiser', name: 'microBatchSize' }
  const smaller = 'Choose fewer responses in memory at once, or recompute activations.'
  if (expectedBytes > machineBytes) {
    return finding('memory', 'refused', `${sentence} This machine has less than that.`, smaller, field)
  }
  if (expectedBytes > tightShare * availableBytes) {
    return finding('memory', 'warning', sentence, `Close other programs. ${smaller}`, field)
  }
  return finding('memory', 'ok', sentence)
}

function diskFinding({ totalBytes, freeBytes, checkpoints }: CheckMeasurement['disk']): CheckFinding {
  const needs = `It needs about ${sizeWords(totalBytes)} on the disk, with ${checkpoints} checkpoints`
  if (freeBytes === null) return finding('disk', 'warning', `${needs}; how much is free is not known.`)
  const sentence = `${needs}; ${sizeWords(freeBytes)} are free.`
  const remedy = 'Free some space on the disk of the workspace, or keep fewer checkpoints.'
  const field = { section: 'evaluation', name: 'keepLast' }
  if (totalBytes > freeBytes) return finding('disk', 'refused', sentence, remedy, field)
  return totalBytes > roomShare * freeBytes
    ? finding('disk', 'warning', sentence, remedy, field)
    : finding('disk', 'ok', sentence)
}

function verifierFinding(
  { outcome, auroc, scores, leastScores }: CheckMeasurement['verifier'],
  { reward, calibration }: RunConfig,
): CheckFinding {
  if (reward.verifier === 'placebo') {
    return finding('verifier', 'ok', 'A placebo’s verifier is blind by intention; nothing is asked of it.')
  }
  const later = `The run itself calibrates on ${calibration.responses} responses first.`
  if (!auroc || scores < leastScores) {
    const sentence = `Not enough to tell: ${scores} words were scored here, and a calibration needs ${leastScores}. ${later}`
    return finding('verifier', 'warning', sentence)
  }
  const chance = `A right word scores above a hallucinated one with probability ${auroc.value.toFixed(2)} (${auroc.low.toFixed(2)} to ${auroc.high.toFixed(2)}), by ${scores} words.`
  if (outcome === 'can-tell') return finding('verifier', 'ok', `The verifier can tell. ${chance}`)
  if (outcome === 'not-enough') return finding('verifier', 'warning', `Not enough to tell. ${chance} ${later}`)
  const sentence = `The verifier may not be able to tell. ${chance} The run calibrates on more words and refuses a verifier that cannot.`
  return finding(
    'verifier',
    'warning',
    sentence,
    'Take the encoder that the model’s image tower was taken from, or more images.',
  )
}

/** `40 s`, `12 min`, `3.5 h`, `2.1 days`. */
export function durationWords(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 1) return `${seconds.toFixed(1)} s`
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  if (seconds < 36 * 3600) return `${(seconds / 3600).toFixed(1)} h`
  return `${(seconds / 86400).toFixed(1)} days`
}
