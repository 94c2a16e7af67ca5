// Slurm on this machine alone, of Debian's packages: one node, in host-name and process spaces of its own, that ends with all
// its jobs when it is told to. For slurm.test.ts.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { runCommand } from '../setup/runCommand.ts'
import { installPackages, isOnPath } from '../setup/systemLibraries.ts'

const commands = ['slurmctld', 'slurmd', 'munged', 'sbatch']

/** Makes sure that Slurm is there. @returns why it cannot be used here, or null */
export async function reasonAgainstSlurm(print: (line: string) => void): Promise<string | null> {
  if (process.platform !== 'linux') return 'it needs Linux'
  if (process.getuid?.() !== 0) return 'only root can install and start it'
  const works = await runCommand('unshare', ['--uts', '--pid', '--fork', 'true']).catch((e: unknown) => e)
  if (works instanceof Error) return 'this machine lets nobody make namespaces'
  if (commands.every(isOnPath)) return null
  if (!isOnPath('apt-get')) return 'it needs Debian or Ubuntu'
  try {
    await installPackages(['slurm-wlm', 'munge'], print)
    return commands.every(isOnPath) ? null : 'Debian’s packages brought none'
  } catch (error) {
    return `Debian’s packages could not be had: ${(error as Error).message.split('\n', 1)[0]}`
  }
}

/** A host name must be one that resolves, and a requeue waits until credentials have expired. */
function config(folder: string, ports: readonly [number, number]): string {
  return `ClusterName=fisao
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=${ports[0]}
SlurmdPort=${ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${folder}/munge/socket,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/slurmd.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,sched_min_interval=0,batch_sched_delay=0
ReturnToService=2
KillWait=10
NodeName=localhost NodeAddr=127.0.0.1 CPUs=${availableParallelism()} RealMemory=${Math.floor(totalmem() / 1024 ** 2)}
PartitionName=all Nodes=localhost Default=YES MaxTime=INFINITE State=UP
`
}

const daemons = `set -e
hostname localhost
munged=$(command -v munged)
setpriv --reuid=munge --regid=munge --clear-groups "$munged" --foreground --force --key-file="$FOLDER/munge/key" \\
  --socket="$FOLDER/munge/socket" --pid-file="$FOLDER/munge/pid" --seed-file="$FOLDER/munge/seed" \\
  --log-file="$FOLDER/munge/log" &
while ! test -S "$FOLDER/munge/socket"; do sleep 0.1; done
slurmctld -i -D &
slurmd -D -N localhost &
wait
`

export class OneNode {
  readonly #folder: string
  readonly #env: NodeJS.ProcessEnv
  readonly #host: ChildProcess

  private constructor(folder: string, env: NodeJS.ProcessEnv, host: ChildProcess) {
    this.#folder = folder
    this.#env = env
    this.#host = host
  }

  /**
   * @param folder an empty one, which everybody may enter
   * @throws Error when the node is not idle in time
   */
  static async start(folder: string): Promise<OneNode> {
    for (const name of ['munge', 'state', 'spool']) mkdirSync(join(folder, name))
    writeFileSync(join(folder, 'munge/key'), crypto.getRandomValues(new Uint8Array(128)), { mode: 0o600 })
    await runCommand('chown', ['-R', 'munge:munge', join(folder, 'munge')])
    await runCommand('chmod', ['755', join(folder, 'munge')])
    const port = 20_000 + (process.pid % 20_000)
    writeFileSync(join(folder, 'slurm.conf'), config(folder, [port, port + 1]))
    const env = { ...process.env, SLURM_CONF: join(folder, 'slurm.conf'), FOLDER: folder }
    const spaces = ['--uts', '--pid', '--mount', '--mount-proc', '--fork', '--kill-child']
    // It ends with this process, however that ends.
    const host = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...spaces, 'bash', '-c', daemons], {
      env,
      stdio: 'ignore',
    })
    const node = new OneNode(folder, env, host)
    try {
      await node.until(
        async () => (await node.ask('sinfo', ['-h', '-o', '%T'])).trim() === 'idle',
        'the node idle',
        30_000,
      )
      return node
    } catch (error) {
      await node.stop()
      throw error
    }
  }

  /** What a command of Slurm's, or a script that calls them, prints; an empty text where it fails. */
  async ask(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    return await runCommand(command, args, { env: { ...this.#env, ...env } }).catch(() => '')
  }

  /** @throws Error naming what did not come about in time */
  async until(holds: () => Promise<boolean>, what: string, timeoutMs: number): Promise<void> {
    for (const endMs = performance.now() + timeoutMs; performance.now() < endMs; await delay(200))
      if (await holds()) return
    throw new Error(`${what}: not within ${timeoutMs / 1000} s; see ${this.#folder}`)
  }

  /** Ends the daemons and every job. */
  async stop(): Promise<void> {
    if (this.#host.exitCode !== null || this.#host.signalCode !== null) return
    const ended = new Promise((resolve) => this.#host.once('close', resolve))
    this.#host.kill('SIGKILL')
    await ended
  }
}
