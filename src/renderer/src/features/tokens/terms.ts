// Each figure of a word in one sentence with its formula, as WordPanel.tsx explains it.

export interface Term {
  readonly name: string
  readonly sentence: string
  readonly formula: string
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
} as const satisfies Record<string, Term>
