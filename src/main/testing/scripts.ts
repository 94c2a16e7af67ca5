// Programs that tests start as processes; scripts/testScripts.ts builds them before the first test.
import 'vitest'

type TestScript =
  | 'alignmentWorker'
  | 'alignWorkspace'
  | 'claimCells'
  | 'command'
  | 'engineThread'
  | 'exportWorkspace'
  | 'fuseServer'
  | 'fuzzChild'
  | 'holdWorkspace'
  | 'job'
  | 'listAnnotated'
  | 'probeWorker'
  | 'writeSteps'

/** Of each, one file or another. */
export type TestScripts = Readonly<Record<TestScript, string>>

declare module 'vitest' {
  interface ProvidedContext {
    /** Where each of them lies, as JavaScript that Node runs as it is: `inject('scripts')`. */
    readonly scripts: TestScripts
  }
}
