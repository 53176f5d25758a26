package stats

import (
	"math/big"

	"github.com/streamflow/streamflow/column"
)

// Place puts a boxed value (see column.Value) on the number line so that a smaller value never lies to the right of a greater
// one; ok is false for values without a place. Numbers are their own place, dates their day, timestamps their microsecond,
// strings the number that their first bytes make.
func Place(v any, t column.Type) (place float64, ok bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return float64(v), true
	case float64:
		return v, v == v
	case column.Dec128:
		return decimalPlace(v, int(t.Scale)), true
	case string:
		return textPlace(v), true
	case []byte:
		return textPlace(string(v)), true
	}
	return 0, false
}

func decimalPlace(d column.Dec128, scale int) float64 {
	f, _ := new(big.Float).SetInt(d.Big()).Float64()
	for range scale {
		f /= 10
	}
	return f
}

// placedBytes is how many bytes a float64 holds exactly.
const placedBytes = 6

func textPlace(s string) (place float64) {
	for i := range placedBytes {
		place *= 256
		if i < len(s) {
			place += float64(s[i])
		}
	}
	return place
}
