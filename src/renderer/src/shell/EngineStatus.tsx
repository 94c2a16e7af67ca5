// The status line: how the engine process is doing, and that it came back after it had stopped.
import { Button } from '@mantine/core'
import type { ReactNode } from 'react'
import type { AppState } from '../../../shared/contract.ts'
import { request, useAppState } from '../api.ts'
import { attempt } from '../attempt.ts'
import { deviceLabels } from '../features/workspace/HardwareCard.tsx'
import css from './EngineStatus.module.css'

export function EngineStatus(): ReactNode {
  const state = useAppState()
  const { tone, text } = describe(state)
  return (
    <>
      <div role="status" aria-label="Engine status" className={css.statusText} data-tone={tone}>
        <span className={css.statusDot} aria-hidden="true" />
        {text}
      </div>
      {state.engine.state === 'failed' && (
        <Button size="compact-xs" variant="default" onClick={() => attempt(() => request('engine.restart', {}))}>
          Restart the engine
        </Button>
      )}
    </>
  )
}

function describe({ engine, hardware, hardwareError }: AppState): { tone: 'good' | 'busy' | 'bad'; text: string } {
  switch (engine.state) {
    case 'starting':
      return { tone: 'busy', text: 'The engine is starting…' }
    case 'restarting':
      return {
        tone: 'busy',
        text: 'The engine stopped unexpectedly and is being started again. Nothing stored was lost.',
      }
    case 'failed':
      return { tone: 'bad', text: 'The engine stopped several times in a row. Nothing stored was lost.' }
    case 'stopped':
      return { tone: 'bad', text: 'The engine is not running.' }
    case 'ready': {
      const again = engine.restarts > 0 ? 'The engine stopped and was started again; nothing stored was lost. ' : ''
      if (hardwareError) return { tone: 'bad', text: `${again}The devices could not be measured.` }
      if (!hardware) return { tone: 'busy', text: `${again}Measuring this computer's devices…` }
      return { tone: 'good', text: `${again}Engine ready on ${deviceLabels[hardware.chosen]}.` }
    }
  }
}
