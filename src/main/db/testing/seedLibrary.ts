// Fills a workspace with many images for tests and measurements: real rows and real pictures, a few of them shared.
import { createHash } from 'node:crypto'
import { inTransaction, type WritableDb } from '../connection.ts'
import { insertImage } from '../images.ts'
import { createImport, setImportState } from '../imports.ts'

/** Adds `count` images; image `i` shows `thumbnails[i % thumbnails.length]` (encoded pictures). */
export function seedLibrary(db: WritableDb, count: number, thumbnails: readonly Buffer[]): void {
  inTransaction(db, () => {
    const importId = createImport(db, '/seeded', 0)
    for (let i = 0; i < count; i++) {
      const name = `photo-${String((i * 7919) % count).padStart(6, '0')}.jpg`
      const image = {
        importId,
        path: `/seeded/${Math.floor(i / 1000)}/${i}-${name}`,
        name,
        sizeBytes: 1000 + i,
        modifiedMs: i,
        sha256: createHash('sha256').update(String(i)).digest(),
        width: 640,
        height: 480,
        format: 'jpeg' as const,
        thumbnail: thumbnails[i % thumbnails.length] as Buffer,
      }
      insertImage(db, image, i)
    }
    setImportState(db, importId, 'complete', 1)
  })
}
