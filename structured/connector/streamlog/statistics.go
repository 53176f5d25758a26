package streamlog

import (
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/structured/stats"
)

// Statistics implements stats.Source: the committed offsets tell how many rows there are at the most.
func (t *Table) Statistics() *stats.Table {
	out := &stats.Table{}
	_, err := t.positions(func(p *logstore.Partition) (int64, error) {
		o := p.Offsets()
		out.Rows += max(o.LastStable-o.LogStart, 0)
		return 0, nil
	})
	if err != nil {
		return nil // the scan will say why
	}
	return out
}
