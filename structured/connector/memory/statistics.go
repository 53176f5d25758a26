package memory

import "github.com/streamflow/streamflow/structured/stats"

// Statistics implements stats.Source.
func (t *Table) Statistics() *stats.Table {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := &stats.Table{}
	for _, part := range t.parts {
		for _, c := range part {
			out.Rows += c.rows
		}
	}
	return out
}
