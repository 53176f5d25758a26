package sql

import (
	"sort"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
)

// otherNames are what other databases call the types.
var otherNames = map[string]string{"TEXT": "STRING", "INT64": "BIGINT", "INT32": "INT", "INT8": "TINYINT", "INT16": "SMALLINT", "BOOL": "BOOLEAN",
	"DATETIME": "TIMESTAMP", "TIMESTAMPTZ": "TIMESTAMP", "BYTES": "BINARY", "BYTEA": "BINARY", "BLOB": "BINARY", "FLOAT64": "DOUBLE", "FLOAT8": "DOUBLE",
	"FLOAT4": "FLOAT", "NUMBER": "DECIMAL", "UUID": "STRING", "JSON": "STRING", "SERIAL": "BIGINT", "UINT64": "DECIMAL(20,0)"}

// nearTypes are the types that an unknown name may mean.
func nearTypes(name string) []string {
	if t, ok := otherNames[strings.ToUpper(name)]; ok {
		return []string{t}
	}
	all := []string{"DECIMAL", "ARRAY", "MAP", "STRUCT", "INTERVAL"}
	for n := range simpleTypes {
		all = append(all, n)
	}
	sort.Strings(all)
	return usererr.Nearest(name, all, 2)
}
