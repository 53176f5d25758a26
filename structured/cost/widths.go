package cost

import "github.com/streamflow/streamflow/column"

// typeWidth is a guess at the bytes of a value in a batch.
func typeWidth(t column.Type) float64 {
	switch t.Kind {
	case column.String, column.Binary:
		return 24
	case column.List, column.Map, column.Struct:
		return 64
	case column.Decimal:
		return 16
	}
	return 8
}
