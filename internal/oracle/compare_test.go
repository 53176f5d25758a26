package oracle

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// result makes rows of "a|b" lines; NULL is null.
func result(types string, lines ...string) Result {
	r := Result{Types: strings.Split(types, "|"), Columns: strings.Split(types, "|")}
	for _, l := range lines {
		var row []*string
		for _, s := range strings.Split(l, "|") {
			if s == "NULL" {
				row = append(row, nil)
			} else {
				row = append(row, &s)
			}
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want Result
		ordered   bool
		err       string
	}{
		{"scales of decimals do not matter", result("decimal(5,2)", "1.50"), result("DECIMAL(5,1)", "1.5"), true, ""},
		{"digits of decimals do", result("decimal(38,2)", "12345678901234567890.01"), result("DECIMAL(38,2)", "12345678901234567890.02"), true, "column decimal(38,2)"},
		{"integers of all sizes", result("bigint", "7"), result("HUGEINT", "7"), true, ""},
		{"doubles nearly", result("double", "0.1"), result("DOUBLE", "0.10000000000001"), true, ""},
		{"doubles no further", result("double", "0.1"), result("DOUBLE", "0.1000001"), true, "0.1, want 0.1000001"},
		{"a rounded decimal against a double", result("decimal(9,3)", "0.333"), result("DOUBLE", "0.33333333333333331"), true, ""},
		{"a decimal rounded wrongly", result("decimal(9,3)", "0.334"), result("DOUBLE", "0.33333333333333331"), true, "0.334"},
		{"null is null", result("int", "NULL"), result("INTEGER", "NULL"), true, ""},
		{"null is no text", result("string", "NULL"), result("VARCHAR", "NULL "), true, "NULL, want NULL "},
		{"order", result("int", "1", "2"), result("INTEGER", "2", "1"), true, "row 0"},
		{"a bag", result("int|double", "1|0.1", "2|3"), result("INTEGER|DOUBLE", "2|3.0", "1|0.10000000000001"), false, ""},
		{"a bag has counts", result("int", "1", "1", "2"), result("INTEGER", "1", "2", "2"), false, "row 1"},
		{"rows", result("int", "1"), result("INTEGER", "1", "1"), false, "1 rows, want 2"},
		{"columns", result("int", "1"), result("INTEGER|INTEGER", "1|1"), false, "1 columns"},
	} {
		err := Compare(c.got, c.want, c.ordered)
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestSaveAndLoad(t *testing.T) {
	path, want := filepath.Join(t.TempDir(), "x"), result("int|string", "1|<a>", "NULL|b\n\"c\"")
	if err := Save(path, want); err != nil {
		t.Fatal(err)
	}
	if got, err := Load(path); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
}
