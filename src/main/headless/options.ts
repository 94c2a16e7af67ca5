// Every subcommand and option of `fisao-studio-run`, once: what commandLine.ts reads, help.ts and the man page print.

export interface OptionInfo {
  /** What stands for its value, e.g. `FILE`; null for a switch. */
  readonly value: string | null
  readonly isMultiple?: true
  readonly short?: string
  readonly help: string
}

export const options = {
  progress: {
    value: 'FORM',
    help: 'How to tell of progress: bar (a line on stderr; the default), json (a JSON object a line on stdout), none.',
  },
  resume: {
    value: null,
    help: 'Go on with what an earlier, interrupted start of the same job left at its --out.',
  },
  out: {
    value: 'PATH',
    help: 'Where the result goes: the workspace of an alignment, the file or folder of everything else.',
  },
  threads: {
    value: 'N',
    help: 'Processor threads; as many as there are cores when left out. Figures repeat byte for byte with the same number.',
  },
  device: { value: 'NAME', help: 'cpu (the default), webgpu, cuda, dml or coreml. Only cpu repeats byte for byte.' },
  resources: {
    value: 'DIR',
    help: 'The folder with lexicons, demo model and sample scenes, when it is not where the program looks for it.',
  },
  help: { value: null, short: 'h', help: 'Show this text, or the one of a subcommand, and end.' },
  version: { value: null, help: 'Show the version and end.' },
  demo: { value: null, help: 'Take the demo model, its lexicon and the sample scenes for what is not named.' },
  model: { value: 'DIR', help: 'A Hugging Face folder of a LLaVA-layout model.' },
  encoder: {
    value: 'DIR',
    help: 'The CLIP or SigLIP model that its image tower was taken from; the folder encoder in the model when left out.',
  },
  adapter: { value: 'DIR', help: 'An exported adapter, or the export that holds it.' },
  images: { value: 'PATH', isMultiple: true, help: 'A folder of images, or an image; give it again for more.' },
  annotations: { value: 'FILE', help: 'COCO instances of the images.' },
  lexicon: { value: 'NAME', help: 'Object words: coco (the default), scene (with --demo), or a file.' },
  preset: { value: 'NAME', help: 'Settings to start from: quick-look (the default), paper or thorough.' },
  set: {
    value: 'NAME=VALUE',
    isMultiple: true,
    help: 'One setting of a run, e.g. --set optimiser.stepsPerRound=32; give it again for more.',
  },
  settings: { value: null, help: 'List every setting with its meaning, range and default, and end.' },
  seed: { value: 'N', help: 'Every random number follows from it; 1 when left out.' },
  name: { value: 'TEXT', help: 'What the run or the evaluation is called in the app.' },
  'write-job': { value: 'FILE', help: 'Write the job there and do not carry it out.' },
  question: { value: 'TEXT', help: 'What to ask about each image; that of the settings when left out.' },
  most: { value: 'N', help: 'Only the first N images.' },
  strength: { value: 'X', help: 'Strength of the adapter from 0 to 1.5; 1, as trained, when left out.' },
  run: { value: 'N', help: 'Number of the run in the workspace (inspect lists them); the newest when left out.' },
  step: {
    value: 'STEP',
    help: 'A step with a checkpoint, best or last; best when left out. For evaluate up to four, e.g. 0,best.',
  },
  measure: { value: 'NAME', help: 'In a workspace: estimates (the default), chair, pope, mme or amber.' },
  questions: { value: 'FILE', help: 'The questions of POPE, or the queries of AMBER.' },
  sampling: { value: 'NAME', help: 'POPE made of --annotations: random, popular or adversarial.' },
  folder: { value: 'DIR', help: 'The folder of MME, or the folder data of AMBER.' },
  merged: { value: null, help: 'Export the merged model too.' },
  seeds: { value: 'N-N,N,…', help: 'Several seeds such as 1-5 or 1,2,7, a cell each.' },
  presets: { value: 'NAME,…', help: 'Several presets, a cell each.' },
  models: {
    value: 'DIR',
    isMultiple: true,
    help: 'One of several models, a cell each; give it again for more. Each has its encoder in it, or all have --encoder.',
  },
  placebo: { value: null, help: 'After each run, its placebo in the same cell.' },
  time: {
    value: 'H:MM:SS',
    help: 'The time that Slurm gives a cell before it has to go on later; 24:00:00 when left out.',
  },
  memory: {
    value: 'MB',
    help: 'The memory that Slurm gives a cell; what the memory plan says and a quarter when left out.',
  },
  scratch: {
    value: 'DIR',
    help: 'A folder on a disk of this machine to work in; SLURM_TMPDIR, TMPDIR or the folder of the system when left out.',
  },
  'copy-every': { value: 'S', help: 'Seconds between two copies of a cell’s work into the folder; 300 when left out.' },
  'stale-after': {
    value: 'S',
    help: 'Seconds without a sign of life after which what another worker has is taken over; 120 when left out.',
  },
  share: {
    value: 'DIR',
    help: 'A folder that machines share: those that say “work DIR” take part in the responses of this alignment.',
  },
  into: {
    value: 'FILE',
    help: 'The workspace, on a disk of this machine, that takes the runs; it is made when it is not there.',
  },
} as const satisfies Readonly<Record<string, OptionInfo>>

export type OptionName = keyof typeof options

/** Options that every subcommand takes. */
export const commonOptions: readonly OptionName[] = ['out', 'progress', 'help']

export interface SubcommandInfo {
  /** What follows its name. */
  readonly usage: string
  /** What it does, in a sentence or three. */
  readonly does: string
  readonly own: readonly OptionName[]
}

const fromFolders: readonly OptionName[] = [
  ...(['demo', 'model', 'encoder', 'images', 'lexicon', 'set', 'seed', 'threads', 'device', 'resources'] as const),
  'write-job',
]

export const subcommands = {
  align: {
    usage: '--model DIR --images DIR [OPTIONS]',
    does:
      'Aligns a model on images and keeps the run in a new workspace (--out, or NAME.fisao here), which the app opens. ' +
      'Ctrl-C stops after the next commit; --resume with the same --out goes on, and ends byte for byte where it would ' +
      'have ended (on the CPU).',
    own: ['resume', ...fromFolders, 'annotations', 'preset', 'settings', 'name', 'share', 'stale-after'],
  },
  evaluate: {
    usage: '--model DIR [--adapter DIR] --images DIR --annotations FILE | WORKSPACE [OPTIONS]',
    does:
      'Of a model: CHAIR as it came and with the adapter, with intervals. Of a workspace: steps of a run by ' +
      '--measure; answers are stored as they come, --resume goes on, and the app shows the evaluation. ' +
      'Figures go to --out as JSON, or to stdout.',
    own: [
      ...['resume', ...fromFolders, 'annotations', 'adapter', 'strength', 'most', 'run', 'step', 'measure'],
      ...['questions', 'sampling', 'folder', 'name'],
    ] as readonly OptionName[],
  },
  describe: {
    usage: '--model DIR [--adapter DIR] --images PATH [OPTIONS]',
    does:
      'Asks the model about each image and writes a response a line as JSON, with object words and scores ' +
      '(--out, or descriptions.jsonl here). --resume passes over images that have a line.',
    own: ['resume', ...fromFolders, 'adapter', 'strength', 'question'],
  },
  export: {
    usage: 'WORKSPACE --out DIR [OPTIONS]',
    does: 'Writes a checkpoint of a run as a PEFT adapter, with --merged as a whole model too, and the job that repeats it.',
    own: ['run', 'step', 'strength', 'merged'],
  },
  inspect: {
    usage: 'WORKSPACE | MODEL [OPTIONS]',
    does:
      'Says as JSON what a workspace holds (runs with their steps, models, evaluations), or opens a model folder as a run ' +
      'would and compares its image tower with its encoder.',
    own: ['encoder'],
  },
  report: {
    usage: 'WORKSPACE [--out FILE.html] [OPTIONS]',
    does: 'Writes the report of a run as one web page. A PDF needs the window: save it from the app.',
    own: ['run', 'step'],
  },
  sweep: {
    usage: 'FOLDER --model DIR --images DIR [OPTIONS]',
    does:
      'Writes a new folder with a job for each of several seeds, presets, models and values of a setting (give --set again ' +
      'with another value), for machines that share a file system: submit.sh for Slurm, workers.sh without.',
    own: [
      ...fromFolders.filter((name) => name !== 'write-job'),
      ...([
        'annotations',
        'preset',
        'settings',
        'name',
        'seeds',
        'presets',
        'models',
        'placebo',
        'time',
        'memory',
        'copy-every',
      ] as const),
    ],
  },
  cell: {
    usage: 'FOLDER N [OPTIONS]',
    does:
      'Carries out cell N of a sweep in a local file, copies it into the folder now and then, goes on where another machine ' +
      'stopped, and leaves its result there. A cell that is done ends at once.',
    own: ['scratch', 'copy-every'],
  },
  work: {
    usage: 'FOLDER [OPTIONS]',
    does:
      'Takes cells of a sweep one after the other until all are done, also those of a worker that gives no sign of life any ' +
      'more. Any number of workers on any machines share a sweep. In the folder of --share it takes part in the responses ' +
      'of that run until the run ends.',
    own: ['scratch', 'copy-every', 'stale-after', 'threads'],
  },
  collect: {
    usage: 'FOLDER [--into WORKSPACE] [OPTIONS]',
    does:
      'Takes the runs of cells that are done into a workspace, each once however often it is called, and lists what is ' +
      'missing, failed or refused. Without --into it writes FOLDER/collected.fisao anew.',
    own: ['into', 'scratch'],
  },
} as const satisfies Readonly<Record<string, SubcommandInfo>>

export type SubcommandName = keyof typeof subcommands
export const subcommandNames = Object.keys(subcommands) as SubcommandName[]

/** Options of the command when it is given job files. */
export const jobOptions: readonly OptionName[] = [
  ...(['resume', 'threads', 'device', 'scratch', 'copy-every', 'share', 'stale-after'] as const),
  ...[...commonOptions, 'version' as const],
]

export const optionsOf = (name: SubcommandName): readonly OptionName[] => [...subcommands[name].own, ...commonOptions]
