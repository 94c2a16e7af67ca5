// Responses by checkpoint, whatever their purpose: the foreign key's own index, which the partial ones of 0002
// cannot be, and the grid's filter without a look at the responses themselves. Landed: never edit.
export const sql = `
CREATE INDEX rollout_by_checkpoint
  ON rollout (checkpoint_id, purpose, image_id, hallucinated_words, lowest_score);
`
