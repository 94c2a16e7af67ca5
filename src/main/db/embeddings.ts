// The verifier's cache: embeddings of images and words by the encoder that made them. A score is their product,
// which costs less than looking it up, so scores are not stored apart.
import { inTransaction, type ReadableDb, statement, type WritableDb } from './connection.ts'
import { sha256 } from './rowHash.ts'

/** What an embedding is of. */
export interface EmbeddingKey {
  /** 32 bytes, of the encoder's weights. */
  readonly encoderSha256: Buffer
  readonly kind: 'image' | 'text'
  /** 32 bytes, of the image file or of the prompted text. */
  readonly subjectSha256: Buffer
}

/** The embedding, float32 `[embed]` with length 1, or undefined: also for one that is damaged, to be computed anew. */
export function embeddingOf(db: ReadableDb, key: EmbeddingKey): Float32Array | undefined {
  const { encoderSha256, kind, subjectSha256 } = key
  const row = statement<[Buffer, string, Buffer], { vector: Buffer; stored: Buffer | null }>(
    db,
    `SELECT vector, sha256 AS stored FROM embedding
     WHERE encoder_sha256 = ? AND kind = ? AND subject_sha256 = ?`,
  ).get(encoderSha256, kind, subjectSha256)
  if (!row?.stored || !sha256(row.vector).equals(row.stored)) return undefined
  // A copy, because a buffer from SQLite need not start at a multiple of 4 bytes.
  return new Float32Array(new Uint8Array(row.vector).buffer)
}

/** Stores embeddings in one transaction. One that is there already stays, unless it is damaged. */
export function storeEmbeddings(
  db: WritableDb,
  embeddings: readonly (EmbeddingKey & { readonly vector: Float32Array })[],
): void {
  const insert = statement<[Buffer, string, Buffer, Uint8Array, Buffer]>(
    db,
    `INSERT INTO embedding (encoder_sha256, kind, subject_sha256, vector, sha256) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (encoder_sha256, kind, subject_sha256) DO UPDATE SET vector = excluded.vector, sha256 = excluded.sha256
     WHERE embedding.sha256 IS NOT sha256(embedding.vector)`,
  )
  inTransaction(db, () => {
    for (const { encoderSha256, kind, subjectSha256, vector } of embeddings) {
      const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)
      insert.run(encoderSha256, kind, subjectSha256, bytes, sha256(bytes))
    }
  })
}
