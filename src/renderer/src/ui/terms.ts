// The glossary: each term of the field in one sentence with its formula. TermTip.tsx shows one where it stands, the help of
// the window (shell/Help.tsx) lists all.

export interface Term {
  readonly name: string
  readonly sentence: string
  /** Null where there is none to write. */
  readonly formula: string | null
}

export const terms = {
  score: {
    name: 'Score',
    sentence: 'How much the encoder’s picture of the image and of the word agree: the cosine of the two.',
    formula: 's = ⟨f_img(image), f_txt(word)⟩',
  },
  overGrounded: {
    name: 'Above μ_gt',
    sentence: 'How far the score lies above the mean of words that are in their image.',
    formula: 's − μ_gt',
  },
  overHallucinated: {
    name: 'Above μ_hal',
    sentence: 'How far the score lies above the mean of words that are not in their image.',
    formula: 's − μ_hal',
  },
  margin: {
    name: 'Margin',
    sentence: 'How far beyond a bound a score has to lie before it counts.',
    formula: 'λ',
  },
  reward: {
    name: 'Reward',
    sentence: 'What training pays the word’s last token for this score; the sign is the verdict.',
    formula: 'r(s; μ_gt, μ_hal, λ)',
  },
  logProb: {
    name: 'Log-probability',
    sentence: 'How likely the model was to say this word here: 0 is certain, summed over its tokens.',
    formula: 'log π(word) = Σ log π(token | before)',
  },
  referenceLogProb: {
    name: 'Before alignment',
    sentence: 'How likely the model before alignment would have been to say the same word at the same place.',
    formula: 'log π_ref(word) = Σ log π_ref(token | before)',
  },
  kl: {
    name: 'KL contribution',
    sentence: 'What this word adds to the distance from the model as it came; above 0 it is likelier now than before.',
    formula: 'log π(word) − log π_ref(word)',
  },
  mention: {
    name: 'Mention',
    sentence: 'Whether the response named the object before; most rules pay for the first mention only.',
    formula: 'first, or repeated',
  },
  hallucinated: {
    name: 'Hallucinated word',
    sentence: 'A word for something that the image does not show, by the score that its own encoder gives it.',
    formula: 's < μ_hal − λ',
  },
  hallucinationRate: {
    name: 'Hallucinated words',
    sentence: 'The share of object words that are hallucinated, over all responses to the validation images.',
    formula: 'hallucinated words ÷ object words',
  },
  coverage: {
    name: 'Right words a response',
    sentence:
      'How many different objects that are there a response names: it falls when a model only learns to say less.',
    formula: 'grounded words ÷ responses',
  },
  placebo: {
    name: 'Placebo',
    sentence: 'The same run, each image judged by another one: what it changes was not learned from the pictures.',
    formula: null,
  },
  auroc: {
    name: 'AUROC',
    sentence: 'How often the verifier puts a right word above a hallucinated one: 1 is always, 0.5 is chance.',
    formula: 'P(s_right > s_hallucinated)',
  },
  interval: {
    name: 'Interval',
    sentence: 'Where the true figure lies in 95 of 100 cases, by drawing the images again and again.',
    formula: '95% bootstrap over images',
  },
  encoderVerified: {
    name: 'Encoder verified',
    sentence: 'The image tower of this encoder holds the very same numbers as the model’s own, tensor by tensor.',
    formula: 'W_model = W_encoder',
  },
  imageTokens: {
    name: 'Tokens of an image',
    sentence: 'How many places of the prompt one image takes: a patch each, after the projector.',
    formula: 'e.g. (336 ÷ 14)² = 576',
  },
} as const satisfies Record<string, Term>
