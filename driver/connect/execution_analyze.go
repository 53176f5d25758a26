package connect

import (
	"context"

	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
)

// analyzeTable is spark.catalog.analyzeTable, as Spark's: rows and sizes of the table, not its columns.
func (e *execution) analyzeTable(ctx context.Context, name string, noScan bool) error {
	parts, err := structured.SplitName(name)
	if err != nil {
		return err
	}
	rows, err := e.execute(ctx, &logical.AnalyzeTable{Name: parts, NoScan: noScan})
	if err != nil {
		return err
	}
	if _, err := collect(ctx, rows, 0); err != nil {
		return err
	}
	return e.emitNothing(ctx)
}
