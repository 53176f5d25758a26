package sqlgen

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Pair is one query in two dialects.
type Pair struct {
	Name  string // what it is about: a function, or "query"
	Spark string
	Duck  string
}

// same is a Pair whose text both dialects share.
func same(s string) Pair { return Pair{Spark: s, Duck: s} }

// of is format with the parts in their dialects.
func of(format string, parts ...Pair) Pair {
	spark, duck := make([]any, len(parts)), make([]any, len(parts))
	for i, p := range parts {
		spark[i], duck[i] = p.Spark, p.Duck
	}
	return Pair{Spark: fmt.Sprintf(format, spark...), Duck: fmt.Sprintf(format, duck...)}
}

// two is of with a format for each dialect.
func two(spark, duck string, parts ...Pair) Pair {
	return Pair{Spark: of(spark, parts...).Spark, Duck: of(duck, parts...).Duck}
}

func joined(list []Pair, sep string) Pair {
	spark, duck := make([]string, len(list)), make([]string, len(list))
	for i, p := range list {
		spark[i], duck[i] = p.Spark, p.Duck
	}
	return Pair{Spark: strings.Join(spark, sep), Duck: strings.Join(duck, sep)}
}

// kind is a type of expressions.
type kind int

const (
	integer kind = iota
	double
	text
	boolean
	date
	exact // DECIMAL(10, 2)
	kinds
)

// columns are those of each table, with their types in both dialects.
var columns = []struct {
	name        string
	of          kind
	spark, duck string
}{
	{"a", integer, "INT", "INTEGER"}, {"b", integer, "BIGINT", "BIGINT"}, {"c", text, "STRING", "VARCHAR"}, {"x", double, "DOUBLE", "DOUBLE"},
	{"ok", boolean, "BOOLEAN", "BOOLEAN"}, {"d", date, "DATE", "DATE"}, {"n", exact, "DECIMAL(10,2)", "DECIMAL(10,2)"},
}

// Tables are the statements that make the tables t, u and v, which hold few values, many of them twice, and nulls.
func Tables() []Pair {
	r := rand.New(rand.NewPCG(7, 7))
	var out []Pair
	for _, name := range []string{"t", "u", "v"} {
		var rows, list, listDuck, names []string
		for range 30 {
			row := []string{fmt.Sprint(r.IntN(6)), fmt.Sprint(r.IntN(4) * 1000000007), "'" + string(rune('p'+r.IntN(4))) + strings.Repeat("z", r.IntN(2)) + "'", fmt.Sprintf("%d.%d", r.IntN(4), 5*r.IntN(2)),
				fmt.Sprint(r.IntN(2) == 0), fmt.Sprintf("DATE '2024-%02d-%02d'", 1+r.IntN(3), 1+r.IntN(3)), fmt.Sprintf("%d.%02d", r.IntN(3), 25*r.IntN(4))}
			for i := range row {
				if r.IntN(6) == 0 {
					row[i] = "NULL"
				}
			}
			rows = append(rows, "("+strings.Join(row, ", ")+")")
		}
		for _, c := range columns {
			list = append(list, fmt.Sprintf("CAST(%s AS %s) AS %s", c.name, c.spark, c.name))
			listDuck = append(listDuck, fmt.Sprintf("CAST(%s AS %s) AS %s", c.name, c.duck, c.name))
			names = append(names, c.name)
		}
		from := fmt.Sprintf(" FROM (VALUES %s) AS raw(%s)", strings.Join(rows, ", "), strings.Join(names, ", "))
		out = append(out, Pair{Name: name, Spark: fmt.Sprintf("CREATE OR REPLACE TEMPORARY VIEW %s AS SELECT %s%s", name, strings.Join(list, ", "), from),
			Duck: fmt.Sprintf("CREATE OR REPLACE TABLE %s AS SELECT %s%s", name, strings.Join(listDuck, ", "), from)})
	}
	return out
}
