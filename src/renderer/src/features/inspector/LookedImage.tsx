// The image with the evidence of a word over it, and what the workspace knows of it.
import { Slider, Switch } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { imageUrl, type Params } from '../../../../shared/contract.ts'
import type { Region } from '../../../../shared/describe.ts'
import type { ImageFacts as Facts } from '../../../../shared/domain.ts'
import { useWorkspaceKey } from '../../api.ts'
import { useEvidence } from '../../queries/describe.ts'
import { EvidenceLegend, EvidenceMap } from '../tokens/EvidenceMap.tsx'
import { ImageFacts } from './ImageFacts.tsx'
import { ImageStage } from './ImageStage.tsx'
import css from './LookedImage.module.css'

export interface LookedImageProps {
  readonly image: Facts
  /** The word whose evidence is shown; null for none. */
  readonly evidenceOf: Params<'evidence.get'> | null
  /** Whether there are words at all. */
  readonly hasWords: boolean
  readonly region: Region | null
  readonly isCovering: boolean
  readonly onRegion: (region: Region | null) => void
}

export function LookedImage({
  image,
  evidenceOf,
  hasWords,
  region,
  isCovering,
  onRegion,
}: LookedImageProps): ReactNode {
  const key = useWorkspaceKey() ?? ''
  const [isMissing, setMissing] = useState(false)
  const [hasEvidence, setHasEvidence] = useState(true)
  const [opacity, setOpacity] = useState(0.5)
  const answer = useEvidence(hasEvidence ? evidenceOf : null)
  const evidence = (evidenceOf && hasEvidence && answer?.evidence) || null
  const address = isMissing ? imageUrl.thumbnail : imageUrl.full
  return (
    <div className={css.looked}>
      <ImageStage
        name={image.name}
        src={address(key, image.imageId)}
        onMissing={() => setMissing(true)}
        image={image}
        overlay={evidence && <EvidenceMap {...evidence} opacity={opacity} />}
        region={region}
        isCovering={isCovering}
        onRegion={onRegion}
      />
      {isMissing && (
        <p className={css.missing} role="status">
          The original cannot be shown: it was moved or deleted, or its format needs another program. This is its
          thumbnail.
        </p>
      )}
      {hasWords && (
        <div className={css.evidence}>
          <Switch
            size="sm"
            label="Where the encoder finds the word"
            checked={hasEvidence}
            onChange={({ currentTarget }) => setHasEvidence(currentTarget.checked)}
          />
          {evidence && (
            <>
              <EvidenceLegend {...evidence} />
              <span className={css.opacityName}>Opacity</span>
              <Slider
                className={css.opacity}
                size="sm"
                min={0.1}
                max={1}
                step={0.05}
                label={null}
                value={opacity}
                thumbLabel="Opacity of the map"
                onChange={setOpacity}
              />
            </>
          )}
        </div>
      )}
      {hasEvidence && evidenceOf && answer?.error && (
        <p className={css.missing} role="status">
          There is no map: {answer.error.message} {answer.error.remedy}
        </p>
      )}
      <ImageFacts image={image} />
    </div>
  )
}
