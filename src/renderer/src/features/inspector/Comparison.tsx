// The inspector's questions: the usual one about the image, or another one and a part of it covered, asked of all policies
// that are shown. What they say stands below (Answers.tsx).
import { type ReactNode, useState } from 'react'
import type { EncoderChoice, Region } from '../../../../shared/describe.ts'
import type { ImageFacts as Facts } from '../../../../shared/domain.ts'
import { useAsk } from '../../queries/describe.ts'
import { Answers, type ShownPolicies } from './Answers.tsx'
import { asUsual, questionOf, type WhatIf } from './questions.ts'
import { WhatIfBar } from './WhatIfBar.tsx'

export interface ComparisonProps {
  readonly image: Facts
  readonly policies: ShownPolicies
  /** What is asked unless something else is. */
  readonly usual: string
  readonly encoder: EncoderChoice
}

export function Comparison({ image, policies, usual, encoder }: ComparisonProps): ReactNode {
  const [whatIf, setWhatIf] = useState<WhatIf>(asUsual)
  const [region, setRegion] = useState<Region | null>(null)
  const [isCovering, setCovering] = useState(false)
  const { ask } = useAsk()
  const shown = policies.filter((one) => one !== undefined)
  const askAll = (next: WhatIf): void => {
    setWhatIf(next)
    setRegion(next.region)
    setCovering(false)
    if (next.prompt === null && next.region === null) return
    for (const { policy, notAskable } of shown) {
      if (notAskable === null) ask(questionOf(image.imageId, policy, next))
    }
  }
  return (
    <Answers
      image={image}
      policies={policies}
      asked={whatIf}
      usual={usual}
      encoder={encoder}
      region={region}
      isCovering={isCovering}
      onRegion={setRegion}
    >
      <WhatIfBar
        key={JSON.stringify(whatIf)}
        usual={usual}
        asked={whatIf}
        region={region}
        isCovering={isCovering}
        onCovering={setCovering}
        onAsk={askAll}
        notAskable={shown.every(({ notAskable }) => notAskable !== null) ? policies[0].notAskable : null}
      />
    </Answers>
  )
}
