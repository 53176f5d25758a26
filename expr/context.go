package expr

import "time"

// Context is what evaluation needs besides the batch: it changes from batch to batch, the program does not.
type Context struct {
	Location  *time.Location // the session time zone; nil means UTC
	Now       int64          // current_timestamp, microseconds: one value for the whole query or micro-batch
	ANSI      bool           // overflow, division by zero and bad casts are errors; otherwise null or wrap-around
	Partition int            // spark_partition_id, and part of the seeds of rand and uuid

	// Rows, when not nil, collects rows that fail instead of letting the first one fail the batch. Their results are null.
	Rows *RowErrors
}

// RowErrors lists rows of the current batch that failed, with the first reason for each, in ascending order of row.
type RowErrors struct {
	Rows []int32
	Errs []error
}

// Reset forgets all rows.
func (r *RowErrors) Reset() { r.Rows, r.Errs = r.Rows[:0], r.Errs[:0] }

// Len is the number of failed rows.
func (r *RowErrors) Len() int { return len(r.Rows) }

// Add records that row failed; a row that already failed keeps its first reason.
func (r *RowErrors) Add(row int32, err error) {
	i := len(r.Rows)
	for i > 0 && r.Rows[i-1] >= row {
		i--
	}
	if i < len(r.Rows) && r.Rows[i] == row {
		return
	}
	r.Rows = append(r.Rows, 0)
	r.Errs = append(r.Errs, nil)
	copy(r.Rows[i+1:], r.Rows[i:])
	copy(r.Errs[i+1:], r.Errs[i:])
	r.Rows[i], r.Errs[i] = row, err
}

// Has reports whether row failed.
func (r *RowErrors) Has(row int32) bool {
	for _, x := range r.Rows {
		if x == row {
			return true
		}
	}
	return false
}

func (c *Context) location() *time.Location {
	if c == nil || c.Location == nil {
		return time.UTC
	}
	return c.Location
}
