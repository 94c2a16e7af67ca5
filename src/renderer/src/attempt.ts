// How a component does what may fail: what is thrown becomes a notice (components/Notices.tsx provides it).
import { createContext, useContext } from 'react'

/** Runs `work`; what it throws becomes a notice. */
export type Attempt = (work: () => Promise<unknown>) => void

export const AttemptContext = createContext<Attempt>(() => {
  throw new Error('useAttempt is used outside of NoticesProvider')
})

export function useAttempt(): Attempt {
  return useContext(AttemptContext)
}
