// Where the nodes of a run were computed and how long each took, from ONNX Runtime's own profile: which ops a device
// lacks and leaves to the CPU, and where a step's time goes. Read by tests and by the bench.
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'

/** One execution of one node. */
export interface NodeExecution {
  /** As in the graph, unless ONNX Runtime fused or added the node. */
  readonly node: string
  readonly op: string
  /** E.g. `CPUExecutionProvider`. */
  readonly provider: string
  readonly durationUs: number
}

const eventSchema = z.looseObject({
  cat: z.string().optional(),
  name: z.string(),
  dur: z.number().optional(),
  args: z.looseObject({ op_name: z.string().optional(), provider: z.string().optional() }).optional(),
})

/**
 * The executions in the profile that a session wrote after `profilePrefix`, in order; its file is removed.
 * @param prefix as the session was opened with; the session's profiling has ended
 */
export function takeProfile(prefix: string): NodeExecution[] {
  const folder = dirname(prefix)
  const file = readdirSync(folder).find((name) => name.startsWith(basename(prefix)) && name.endsWith('.json'))
  if (file === undefined) return []
  const path = join(folder, file)
  const events = z.array(eventSchema).parse(JSON.parse(readFileSync(path, 'utf8')))
  rmSync(path)
  return events.flatMap(({ cat, name, dur = 0, args }) =>
    cat === 'Node' && name.endsWith('_kernel_time') && args?.op_name !== undefined && args.provider !== undefined
      ? [
          {
            node: name.slice(0, -'_kernel_time'.length),
            op: args.op_name,
            provider: args.provider,
            durationUs: dur,
          },
        ]
      : [],
  )
}

/** Different nodes that ran on the CPU, counted by op; what a device lacks. */
export function cpuNodes(executions: readonly NodeExecution[]): Record<string, number> {
  const nodes = new Map(
    executions.filter(({ provider }) => provider === 'CPUExecutionProvider').map(({ node, op }) => [node, op]),
  )
  const counts = new Map<string, number>()
  for (const op of nodes.values()) counts.set(op, (counts.get(op) ?? 0) + 1)
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}
