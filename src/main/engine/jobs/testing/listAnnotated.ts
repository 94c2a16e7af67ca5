// `listAnnotated.ts FOLDER ANNOTATIONS`: prints how many annotated images a folder holds, in a process whose number of
// open files a test limits.

import { annotatedImages } from '../annotatedImages.ts'
import { readLexicon } from '../readLexicon.ts'
import { demoLexicon } from './demoRun.ts'

const [folder, annotations] = process.argv.slice(2) as [string, string]
const { images, skipped } = await annotatedImages(folder, annotations, await readLexicon(demoLexicon), null)
process.stdout.write(JSON.stringify({ images: images.length, skipped: skipped.length }))
