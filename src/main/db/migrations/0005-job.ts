// The job of each run: all that it was started with, so that it can be started again anywhere. Landed: never edit.
// Uses row_hash of rowHash.ts.
const columns = ['run_id', 'job', 'last_image_id']
const hashOf = (row: 'new' | 'old'): string =>
  `CAST(row_hash(${columns.map((column) => `${row}.${column}`).join(', ')}) AS INTEGER)`

export const sql = `
CREATE TABLE run_job (
  run_id INTEGER PRIMARY KEY REFERENCES run ON DELETE CASCADE,
  -- As shared/job.ts has it, but without its images: those are the rows of image up to the last one of the job.
  job TEXT NOT NULL CHECK (json_valid(job)),
  last_image_id INTEGER NOT NULL
) STRICT;
INSERT INTO seal VALUES ('run_job', 0, 0);
CREATE TRIGGER run_job_seal_insert AFTER INSERT ON run_job BEGIN
  UPDATE seal SET row_count = row_count + 1, row_sum = row_sum + ${hashOf('new')} WHERE table_name = 'run_job';
END;
CREATE TRIGGER run_job_seal_delete AFTER DELETE ON run_job BEGIN
  UPDATE seal SET row_count = row_count - 1, row_sum = row_sum - ${hashOf('old')} WHERE table_name = 'run_job';
END;
CREATE TRIGGER run_job_seal_update AFTER UPDATE ON run_job BEGIN
  UPDATE seal SET row_sum = row_sum - ${hashOf('old')} + ${hashOf('new')} WHERE table_name = 'run_job';
END;
`
