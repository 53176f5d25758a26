package tpch

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
)

// rowText is a row as the council's generator prints it.
func rowText(b *column.Batch, i int) string {
	var parts []string
	for _, v := range b.Cols {
		parts = append(parts, fmt.Sprint(column.Value(v, i)))
	}
	return strings.Join(parts, "|")
}

func TestX(t *testing.T) {
	for _, tab := range Tables {
		r := tab.Read(1, 0, 3)
		b := r.Next()
		for i := range b.N {
			t.Log(tab.Name, rowText(b, i))
		}
	}
}

var _ = rand.N[int]
