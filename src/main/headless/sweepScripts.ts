// The two scripts of a sweep: submit.sh sends it to Slurm, workers.sh starts workers on a machine without. Before them stands
// sweep.ts; both call the subcommands cell, work and collect, and open no port.

export interface Resources {
  readonly cells: number
  /** Of the processor, a cell. */
  readonly threads: number
  readonly memoryMb: number
  /** As Slurm writes it. */
  readonly time: string
  readonly needsGpu: boolean
  /** Beginning of the sweep's id, which the queue shows. */
  readonly label: string
  /** Seconds between two copies of a cell's work. */
  readonly copyEvery: number
}

/** Before the end of its time a cell is told, so that it can copy what it has. */
const secondsBefore = 120

const head = `set -eu
cd -- "$(dirname -- "$0")"
# The command, where it is not on the PATH of every machine: FISAO_STUDIO_RUN="/opt/node/bin/node /opt/fisao/run.js"
command=\${FISAO_STUDIO_RUN:-fisao-studio-run}
`

export function submitScript({ cells, threads, memoryMb, time, needsGpu, label, copyEvery }: Resources): string {
  return `#!/bin/sh
# Sends this sweep to Slurm: a task a cell, and one more that collects when all have ended. What is typed behind the name of
# this script goes to sbatch, e.g. --partition=long --account=vision. Sent again, only what is missing is computed.
${head}FISAO_STUDIO_RUN=$command
export FISAO_STUDIO_RUN
array=$(sbatch --parsable --job-name='fisao-${label}' --array=1-${cells} --requeue --open-mode=append \\
  --cpus-per-task=${threads} --mem=${memoryMb}M --time=${time}${needsGpu ? ' --gpus=1' : ''} --signal=B:USR1@${secondsBefore} \\
  --output=logs/%a.log "$@" <<'CELL'
#!/bin/sh
# USR1: the time is nearly up, go on in another turn. TERM: requeued or cancelled by somebody else.
again=
$FISAO_STUDIO_RUN cell . "$SLURM_ARRAY_TASK_ID" --copy-every ${copyEvery} --progress none &
cell=$!
trap 'again=yes; kill -TERM $cell' USR1
trap 'kill -TERM $cell' TERM
code=0
while :; do
  wait $cell && code=0 || code=$?
  kill -0 $cell 2>/dev/null || break
done
if [ "$again" = yes ] && [ $code -eq 143 ]; then
  scontrol requeue "\${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit $code
CELL
)
array=\${array%%;*}
collect=$(sbatch --parsable --job-name='fisao-${label}-collect' --dependency=afterany:"$array" --open-mode=append \\
  --cpus-per-task=1 --mem=2048M --time=1:00:00 --output=logs/collect.log "$@" <<'COLLECT'
#!/bin/sh
exec $FISAO_STUDIO_RUN collect . --progress none
COLLECT
)
echo "cells: job $array; collection: job \${collect%%;*}"
`
}

export function workersScript({ copyEvery }: Pick<Resources, 'copyEvery'>): string {
  return `#!/bin/sh
# Starts workers on this machine, e.g. "workers.sh 2"; start it on as many machines as there are. Ctrl-C stops after a commit.
${head}workers=
for number in $(seq "\${1:-1}"); do
  $command work . --copy-every ${copyEvery} --progress none &
  workers="$workers $!"
done
trap 'kill -TERM $workers 2>/dev/null || :' TERM INT
code=0
for worker in $workers; do
  while :; do
    wait "$worker" && last=0 || last=$?
    kill -0 "$worker" 2>/dev/null || break
  done
  [ $last -eq 0 ] || code=$last
done
exit $code
`
}
