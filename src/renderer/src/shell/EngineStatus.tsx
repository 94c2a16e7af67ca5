// The status line: how the engine process is doing, and that it came back after it had stopped.
import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import type { AppState } from '../../../shared/contract.ts'
import type { RunView } from '../../../shared/runView.ts'
import { request, useAppState } from '../api.ts'
import { attempt } from '../attempt.ts'
import { stepWords } from '../features/runs/runWords.ts'
import { deviceLabels } from '../features/workspace/HardwareCard.tsx'
import { useRuns } from '../queries/runs.ts'
import css from './EngineStatus.module.css'

export function EngineStatus(): ReactNode {
  const state = useAppState()
  const working = useRuns()?.find(({ live }) => live) ?? null
  const { tone, text } = describe(state, working)
  return (
    <>
      <div role="status" aria-label="Engine status" className={css.statusText} data-tone={tone}>
        <span className={css.statusDot} aria-hidden="true" />
        <span className={css.statusWords} title={text}>
          {text}
        </span>
      </div>
      {state.engine.state === 'failed' && (
        <Button size="compact-xs" variant="default" onClick={() => attempt(() => request('engine.restart', {}))}>
          Restart the engine
        </Button>
      )}
    </>
  )
}

function describe(
  { engine, hardware, hardwareError }: AppState,
  working: RunView | null,
): { tone: 'good' | 'busy' | 'bad'; text: string } {
  switch (engine.state) {
    case 'starting':
      return { tone: 'busy', text: 'The engine is starting…' }
    case 'restarting':
      return {
        tone: 'busy',
        text: 'The engine stopped and is being started again. Nothing stored was lost.',
      }
    case 'failed':
      return { tone: 'bad', text: 'The engine stopped several times in a row. Nothing stored was lost.' }
    case 'stopped':
      return { tone: 'bad', text: 'The engine is not running.' }
    case 'ready': {
      const again = engine.restarts > 0 ? 'The engine stopped and was started again; nothing stored was lost. ' : ''
      if (hardwareError) return { tone: 'bad', text: `${again}The devices could not be measured.` }
      if (!hardware) return { tone: 'busy', text: `${again}Measuring this computer's devices…` }
      if (working) return { tone: 'busy', text: `${again}Busy: “${working.name}”, ${lowerFirst(stepWords(working))}` }
      return { tone: 'good', text: `${again}Engine ready on ${deviceLabels[hardware.chosen]}.` }
    }
  }
}

function lowerFirst(words: string): string {
  return words.charAt(0).toLowerCase() + words.slice(1)
}
