// What a page shows right after its first picture: controls that take longer to make than all that it was opened for.
// Their places are kept by the style sheets of those who use it, so that nothing moves when they come.
import { createContext, type ReactNode, startTransition, useContext, useEffect, useState } from 'react'

/** Outside a page that is just opening, nothing waits. */
const IsPainted = createContext(true)

/** A page that opens. What is shown in it afterwards, such as another image, comes with its controls at once. */
export function FirstPicture({ children }: { readonly children: ReactNode }): ReactNode {
  const [isPainted, setPainted] = useState(false)
  useEffect(() => {
    let timer = 0
    // A frame is painted after its callbacks, and a task comes after that.
    const frame = requestAnimationFrame(() => {
      timer = window.setTimeout(() => startTransition(() => setPainted(true)))
    })
    return () => {
      cancelAnimationFrame(frame)
      clearTimeout(timer)
    }
  }, [])
  return <IsPainted value={isPainted}>{children}</IsPainted>
}

export interface LaterProps {
  /** What stands there until then. */
  readonly before?: ReactNode
  readonly children: ReactNode
}

export function Later({ before = null, children }: LaterProps): ReactNode {
  return useContext(IsPainted) ? children : before
}
